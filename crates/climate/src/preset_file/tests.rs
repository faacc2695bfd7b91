//! Claims about the text of presets' files.

use super::to_text;
use worldbus_world::preset::{NAMES, Preset};

#[test]
fn what_is_written_reads_back() {
    for name in NAMES {
        let mut preset = Preset::built_in(name).unwrap();
        preset.name = "a \"quoted\\name\"\nin two lines".to_owned();
        assert_eq!(Preset::parse("p.toml", &to_text(&preset)).unwrap(), preset);
    }
}
