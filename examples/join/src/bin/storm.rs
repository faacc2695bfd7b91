//! Closes the market of a region while a storm is over it.

use worldbus::events::v1::{WeatherChanged, WeatherState};
use worldbus::{CancellationToken, HandlerError, Message, Router};

#[tokio::main]
async fn main() -> Result<(), worldbus::Error> {
    let url = std::env::args().nth(1).unwrap_or("http://127.0.0.1:7070".to_owned());
    let bus = worldbus::connect(url.as_str(), None).await?;
    let router = Router::new(&bus, "storm-rust")?.on(react)?;
    router.run(CancellationToken::new()).await
}

async fn react(change: WeatherChanged, message: Message) -> Result<(), HandlerError> {
    let region = message.entity().unwrap_or("the world");
    if change.new_state() == WeatherState::Storm {
        println!("{region}: a storm, the market closes");
    } else if change.old_state() == WeatherState::Storm {
        println!("{region}: the storm is over, the market opens");
    }
    Ok(())
}
