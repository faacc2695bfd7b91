//! Prints each change of the weather.

use worldbus::events::v1::WeatherChanged;
use worldbus::{CancellationToken, HandlerError, Message, Router};

#[tokio::main]
async fn main() -> Result<(), worldbus::Error> {
    let bus = worldbus::connect("http://127.0.0.1:7070", None).await?;
    let router = Router::new(&bus, "weather-watch")?.on(receive)?;
    router.run(CancellationToken::new()).await
}

async fn receive(event: WeatherChanged, message: Message) -> Result<(), HandlerError> {
    println!("{:?} in {}", event.new_state(), message.entity().unwrap_or("the world"));
    Ok(())
}
