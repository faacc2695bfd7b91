//! A line to an emulator that can be cut: the emulators forget everything when they stop, and AWS
//! does not.

use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use worldbus_testkit::free_port;

/// How long a line that was cut is away.
const AWAY: Duration = Duration::from_millis(300);

/// Carries connections to a port of this machine.
pub(crate) struct Line {
    port: u16,
    to: u16,
    /// Aborted with all connections when it is replaced.
    carrying: Mutex<JoinSet<()>>,
}

impl Line {
    pub(crate) async fn open(to: u16) -> Self {
        let line = Self { port: free_port(), to, carrying: Mutex::default() };
        line.carry(&mut *line.carrying.lock().await).await;
        line
    }

    /// Where it begins.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Drops all connections, in the middle of whatever they carry, and takes none for a while.
    pub(crate) async fn cut(&self) {
        let mut carrying = self.carrying.lock().await;
        carrying.shutdown().await;
        tokio::time::sleep(AWAY).await;
        self.carry(&mut carrying).await;
    }

    async fn carry(&self, carrying: &mut JoinSet<()>) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, self.port)).await.unwrap();
        let to = self.to;
        carrying.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (mut here, _) = listener.accept().await.unwrap();
                connections.spawn(async move {
                    let mut there = TcpStream::connect((Ipv4Addr::LOCALHOST, to)).await.unwrap();
                    // Either side may hang up at any time.
                    let _ = tokio::io::copy_bidirectional(&mut here, &mut there).await;
                });
            }
        });
    }
}
