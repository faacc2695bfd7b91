//! What a studio's build script gets: types and a descriptor set, or an error that states where.

use std::fs;
use std::path::Path;

use super::*;

/// Compiles a studio's file with this body; the generated Rust, or the error.
fn build(body: &str) -> Result<String, String> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("studio.proto");
    let head = "syntax = \"proto3\";\npackage studio.v1;\n\
                import \"worldbus/events/v1/catalogue.proto\";\n";
    fs::write(&file, format!("{head}{body}")).unwrap();
    let built = Builder::new().out_dir(dir.path()).compile(&[&file], &[dir.path()]);
    built.map_err(|error| error.to_string())?;
    let set = fs::read(dir.path().join("catalogue.binpb")).unwrap();
    assert!(prost_reflect::DescriptorPool::decode(&set[..]).is_ok(), "imports are included");
    Ok(fs::read_to_string(dir.path().join("studio.v1.rs")).unwrap())
}

fn event_type(number: u32, name: &str, topic: &str) -> String {
    format!(
        "option (worldbus.events.v1.event_type) = \
         {{ number: {number} name: {name:?} topic: {topic:?} }};"
    )
}

#[test]
fn an_event_type_becomes_an_event_of_the_facade() {
    let option = event_type(1000, "quest.completed", "quest");
    let rust = build(&format!("message QuestCompleted {{ {option} }} message Plain {{}}")).unwrap();
    assert!(rust.contains("impl ::worldbus::events::Event for QuestCompleted"), "{rust}");
    assert!(rust.contains("const NUMBER: u32 = 1000;"), "{rust}");
    assert!(!rust.contains("Event for Plain"), "{rust}");
}

#[test]
fn payloads_and_what_they_hold_are_read_directly() {
    let option = event_type(1000, "quest.completed", "quest");
    let rust = build(&format!(
        "message QuestCompleted {{ {option} Inner inner = 1; }}
         message Inner {{ uint32 a = 1; }}
         message Elsewhere {{ Inner inner = 1; }}"
    ));
    let rust = rust.unwrap();
    for direct in ["QuestCompleted", "Inner"] {
        assert!(rust.contains(&format!("wire::Direct for {direct} ")), "{rust}");
    }
    assert!(!rust.contains("Direct for Elsewhere"), "{rust}");
    assert!(rust.contains("fn direct("), "{rust}");
}

#[test]
fn payloads_that_hold_other_messages_than_of_proto3_are_left_to_prost() {
    let option = event_type(1000, "quest.completed", "quest");
    let dir = tempfile::tempdir().unwrap();
    let old = "syntax = \"proto2\"; package studio.old; message Old { required int32 a = 1; }";
    fs::write(dir.path().join("old.proto"), old).unwrap();
    let new = format!(
        "syntax = \"proto3\"; package studio.v1;
         import \"old.proto\"; import \"worldbus/events/v1/catalogue.proto\";
         message Inner {{ repeated studio.old.Old olds = 1; }}
         message QuestCompleted {{ {option} Inner inner = 1; }}"
    );
    let file = dir.path().join("new.proto");
    fs::write(&file, new).unwrap();
    Builder::new().out_dir(dir.path()).compile(&[&file], &[dir.path()]).unwrap();
    let rust = fs::read_to_string(dir.path().join("studio.v1.rs")).unwrap();
    assert!(rust.contains("Event for QuestCompleted"), "{rust}");
    assert!(!rust.contains("Direct") && !rust.contains("fn direct"), "{rust}");
}

/// What is written behind prost's own code, which is formatted or not.
fn own_code(rust: &str) -> &str {
    &rust[rust.find("impl ::worldbus_events::Event").unwrap_or_default()..]
}

#[test]
fn code_of_the_shapes_is_as_committed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events/tests/contract/shapes");
    let dir = tempfile::tempdir().unwrap();
    Builder::new()
        .events_crate("::worldbus_events")
        .out_dir(dir.path())
        .compile(&[folder.join("shapes.proto")], &[&folder])
        .unwrap();
    let made = fs::read_to_string(dir.path().join("shapes.v1.rs")).unwrap();
    let file = folder.join("generated.inc");
    if std::env::var_os("WORLDBUS_BLESS").is_some() {
        fs::write(&file, &made).unwrap();
    }
    let committed = fs::read_to_string(&file).unwrap();
    assert!(own_code(&made) == own_code(&committed), "{} differs:\n{made}", file.display());
}

#[test]
fn options_that_cannot_be_are_refused_by_message() {
    for (option, found) in [
        (event_type(7, "quest.completed", "quest"), "from 1000"),
        (event_type(1000, "", "quest"), "found 1000, \"\""),
        (event_type(1000, "quest.completed", ""), "and \"\""),
    ] {
        let error = build(&format!("message Quest {{ {option} }}")).unwrap_err();
        assert!(error.contains("studio.v1.Quest") && error.contains(found), "{error}");
    }
    let option = event_type(1000, "quest.completed", "quest");
    let error = build(&format!("message Outer {{ message Quest {{ {option} }} }}")).unwrap_err();
    assert!(error.contains("studio.v1.Outer.Quest: the payload"), "{error}");
}

#[test]
fn mistakes_in_a_file_name_the_file() {
    let error = build("message Quest { strin name = 1; }").unwrap_err();
    assert!(error.contains("strin"), "{error}");
    let none: [&str; 1] = ["no/such.proto"];
    let error = Builder::new().out_dir("").compile(&none, &["."]).unwrap_err();
    assert!(error.to_string().contains("no/such.proto"), "{error}");
}
