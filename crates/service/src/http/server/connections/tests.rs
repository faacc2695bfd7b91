//! Who goes when one more comes.

use super::*;

const LOCAL: &str = "127.0.0.1";

fn limits() -> Limits {
    Limits {
        newcomers: 4,
        newcomers_of_peer: 2,
        established: 4,
        established_of_peer: 2,
        ..Limits::default()
    }
}

fn peer(text: &str) -> Peer {
    Peer::of(text.parse().unwrap())
}

fn is_shed(connection: &Connection) -> bool {
    connection.shed.is_cancelled()
}

fn establish(connection: &Arc<Connection>) -> bool {
    Caller(Arc::clone(connection)).establish()
}

#[tokio::test]
async fn oldest_newcomer_without_a_request_goes_first() {
    let connections = Connections::new(limits());
    let all: Vec<_> = (0..4).map(|_| connections.admit(peer(LOCAL))).collect();
    let running = all[0].begin_request();
    let _fifth = connections.admit(peer(LOCAL));
    assert!(is_shed(&all[1]) && [0, 2, 3].iter().all(|&which| !is_shed(&all[which])));
    drop(running);
    let _sixth = connections.admit(peer(LOCAL));
    assert!(is_shed(&all[0]) && !is_shed(&all[2]));
}

#[tokio::test]
async fn newcomers_of_one_peer_push_out_each_other_only() {
    let connections = Connections::new(limits());
    let other = connections.admit(peer("10.0.0.2"));
    let one: Vec<_> = (0..50).map(|_| connections.admit(peer("10.0.0.1"))).collect();
    assert!(!is_shed(&other));
    assert_eq!(one.iter().filter(|connection| !is_shed(connection)).count(), 2);
}

#[tokio::test]
async fn newcomers_never_take_the_place_of_an_established_connection() {
    let connections = Connections::new(limits());
    let held = connections.admit(peer(LOCAL));
    assert!(establish(&held));
    let crowd: Vec<_> = (0..50).map(|_| connections.admit(peer(LOCAL))).collect();
    assert!(!is_shed(&held) && is_shed(&crowd[0]) && !is_shed(&crowd[49]));
}

#[tokio::test]
async fn longest_idle_established_connection_makes_room_and_a_busy_one_does_not() {
    let connections = Connections::new(limits());
    let all: Vec<_> = (0..4).map(|_| connections.admit(peer(LOCAL))).collect();
    assert!(all.iter().all(establish));
    drop(all[0].begin_request());
    let busy: Vec<_> = [1, 2].map(|which: usize| all[which].begin_request()).into();
    let fifth = connections.admit(peer(LOCAL));
    assert!(establish(&fifth) && is_shed(&all[3]) && !is_shed(&all[0]));

    let rest = [all[0].begin_request(), fifth.begin_request()];
    let sixth = connections.admit(peer(LOCAL));
    assert!(!establish(&sixth) && !is_shed(&sixth));
    drop((busy, rest));
    assert!(establish(&sixth) && establish(&sixth));
}

#[tokio::test]
async fn one_peer_leaves_established_places_to_others() {
    let connections = Connections::new(limits());
    let one: Vec<_> = (0..2).map(|_| connections.admit(peer("10.0.0.1"))).collect();
    assert!(one.iter().all(establish));
    let busy: Vec<_> = one.iter().map(Connection::begin_request).collect();
    assert!(!establish(&connections.admit(peer("10.0.0.1"))));
    let other = connections.admit(peer("10.0.0.2"));
    assert!(establish(&other));
    drop(busy);
    assert!(establish(&connections.admit(peer("10.0.0.1"))) && !is_shed(&other));
}

#[tokio::test]
async fn place_is_free_once_its_connection_ends() {
    let connections = Connections::new(limits());
    drop((0..4).map(|_| connections.admit(peer(LOCAL))).collect::<Vec<_>>());
    assert!(connections.0.table().open.is_empty());
    let last = connections.admit(peer(LOCAL));
    connections.shed(5);
    assert!(is_shed(&last));
    // A request that outlives its connection's place.
    drop(last.begin_request());
}

#[tokio::test(start_paused = true)]
async fn deadline_counts_from_the_end_of_the_last_request() {
    let connections = Connections::new(limits());
    let connection = connections.admit(peer(LOCAL));
    let (first, idle) = (limits().first_request, limits().idle);
    let begin = Instant::now();
    connection.idle().await;
    assert!(begin.elapsed() >= first && begin.elapsed() < first * 2);

    assert!(establish(&connection));
    let running = connection.begin_request();
    let (begin, busy) = (Instant::now(), idle * 3);
    let until_idle = async {
        connection.idle().await;
        begin.elapsed()
    };
    let request = async {
        tokio::time::sleep(busy).await;
        drop(running);
    };
    let (elapsed, ()) = tokio::join!(until_idle, request);
    assert!(elapsed >= busy + idle && elapsed < busy + idle * 2, "{elapsed:?}");
}
