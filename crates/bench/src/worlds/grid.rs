//! Worlds of many regions: a map by thirty kilometres. Not here: what is measured in them.

use std::fmt::Write as _;

/// A map as it is drawn.
pub(crate) struct Grid {
    pub(crate) region_count: usize,
    pub(crate) column_count: usize,
    pub(crate) real_seconds_per_game_hour: u32,
    /// The south-western corner, in degrees.
    pub(crate) latitude: f64,
    pub(crate) longitude: f64,
    /// The climate at a latitude.
    pub(crate) climate: fn(f64) -> &'static str,
}

impl Grid {
    /// The file of a world that begins in winter.
    pub(crate) fn world_file(&self) -> String {
        let mut text = format!(
            "id = \"bench\"\nseed = 4711\nepoch = 2024-01-01T00:00:00\n\
             real_seconds_per_game_hour = {}\nclimate = \"brussels\"\n",
            self.real_seconds_per_game_hour,
        );
        for region in 0..self.region_count {
            let (row, column) = (region / self.column_count, region % self.column_count);
            let latitude = self.latitude + 0.3 * row as f64;
            let longitude = self.longitude + 0.4 * column as f64;
            // Writing to a String cannot fail.
            let _ = write!(
                text,
                "[[regions]]\nid = \"r{region}\"\nlatitude = {latitude:.2}\n\
                 longitude = {longitude:.2}\nelevation_m = {}\nclimate = \"{}\"\n",
                region * 7 % 1000,
                (self.climate)(latitude),
            );
        }
        text
    }
}
