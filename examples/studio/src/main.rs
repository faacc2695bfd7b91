//! A studio's own event type, published and consumed typed. No fork of Worldbus, no `protoc`.
//!
//! ```text
//! cargo run -p studio -- catalog > quest.binpb     # for: worldbus catalog add quest.binpb
//! cargo run -p studio -- consume http://127.0.0.1:7070
//! cargo run -p studio -- publish http://127.0.0.1:7070
//! ```

use std::io::Write;

use anyhow::{Result, bail};
use studio::{Outcome, QuestCompleted};

use worldbus::{CancellationToken, HandlerError, Message, Router};

/// The messages of `proto/studio/v1`, made by build.rs.
#[allow(missing_docs, unreachable_pub)]
mod studio {
    include!(concat!(env!("OUT_DIR"), "/studio.v1.rs"));
}

/// The same as a FileDescriptorSet, from which the stock `worldbus` binary learns them.
const CATALOGUE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/catalogue.binpb"));

async fn publish(url: &str) -> Result<()> {
    let bus = worldbus::connect(url, None).await?;
    let publisher = bus.publisher("quest-service", "europe");
    let quest = QuestCompleted {
        quest_id: "the-lost-umbrella".to_owned(),
        outcome: Outcome::Success.into(),
        experience_points: 250,
        duration_game_minutes: 95,
    };
    let event_id = publisher.publish_about("player-7", &quest).await?;
    println!("{event_id}"); // durable
    Ok(())
}

async fn consume(url: &str, shutdown: CancellationToken) -> Result<()> {
    let bus = worldbus::connect(url, None).await?;
    let router = Router::new(&bus, "quest-log")?.on(
        |quest: QuestCompleted, message: Message| async move {
            let player = message.entity().unwrap_or("somebody");
            println!("{player}: {} {:?}", quest.quest_id, quest.outcome());
            Ok::<(), HandlerError>(())
        },
    )?;
    router.run(shutdown).await?;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["catalog"] => Ok(std::io::stdout().write_all(CATALOGUE)?),
        ["publish", url] => publish(url).await,
        ["consume", url] => {
            let shutdown = CancellationToken::new();
            let stop = shutdown.clone();
            tokio::spawn(async move {
                let _ = tokio::signal::ctrl_c().await;
                stop.cancel();
            });
            consume(url, shutdown).await
        }
        _ => bail!("usage: studio catalog | publish URL | consume URL"),
    }
}

#[cfg(test)]
mod tests;
