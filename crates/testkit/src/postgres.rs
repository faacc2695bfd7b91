//! A PostgreSQL server of a test's own: Debian's programs, a cluster in a temporary directory, a
//! socket there and a free port on loopback. What it acknowledges is fsynced.
//!
//! Not for: what needs a superuser of another name, or a standby.
#![expect(clippy::disallowed_methods, reason = "starts programs and waits for them")]

use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::{DEADLINE, free_port};

/// Names the folder of PostgreSQL's programs; else Debian's latest are taken.
const FOLDER: &str = "WORLDBUS_POSTGRES";
const DEBIAN: &str = "/usr/lib/postgresql";
/// Debian's user without rights. It owns the cluster where the test runs as root: the server
/// refuses to be root's.
const OWNER_ID: u32 = 65_534;
/// The superuser of the cluster, and its one database next to those of PostgreSQL.
const OWNER: &str = "worldbus";

/// A running server; killed when dropped.
#[derive(Debug)]
pub struct PostgresServer {
    /// Gone last.
    folder: tempfile::TempDir,
    programs: PathBuf,
    port: u16,
    child: Option<Child>,
}

impl PostgresServer {
    /// Starts one with a database `worldbus`, and waits until it answers. By the socket everyone
    /// is trusted; by the port a password is asked for.
    pub fn start() -> Self {
        let mut this = Self::without_cluster();
        run(Command::new("cp").arg("-a").arg(this.template()).arg(this.data()));
        this.restart();
        this
    }

    fn without_cluster() -> Self {
        let folder = tempfile::Builder::new().prefix("pg").tempdir().unwrap();
        if is_root() {
            chown(folder.path(), Some(OWNER_ID), Some(OWNER_ID)).unwrap();
        }
        Self { folder, programs: programs(), port: free_port(), child: None }
    }

    /// A cluster of which those of tests are copies, next to the test's program: to make one takes
    /// longer than many a test.
    fn template(&self) -> PathBuf {
        let of = self.programs.display().to_string().replace('/', "-");
        let program = std::env::current_exe().unwrap();
        let kept = program.with_file_name(format!("postgres-of{of}"));
        if kept.exists() {
            return kept;
        }
        let made = Self::without_cluster();
        made.create();
        let copy = program.with_file_name(format!("postgres-{}", std::process::id()));
        run(Command::new("cp").arg("-a").arg(made.data()).arg(&copy));
        // Another test may have been faster.
        if std::fs::rename(&copy, &kept).is_err() {
            std::fs::remove_dir_all(&copy).unwrap();
        }
        kept
    }

    /// Makes the cluster and its database.
    fn create(&self) {
        // Its own files are synced by the first checkpoint; `fsync` of the server stays on.
        let options = ["--no-sync", "--encoding=UTF8", "--locale=C", "--auth=trust", "-U", OWNER];
        run(self.program("initdb").args(options).arg("-D").arg(self.data()));
        self.write("pg_hba.conf", "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n");
        let statement = self.folder.path().join("create.sql");
        std::fs::write(&statement, format!("CREATE DATABASE {OWNER}\n")).unwrap();
        let mut postgres = self.program("postgres");
        postgres.arg("--single").arg("-D").arg(self.data()).arg("postgres");
        let created = postgres.stdin(std::fs::File::open(statement).unwrap()).output().unwrap();
        assert!(created.status.success(), "{}", String::from_utf8_lossy(&created.stderr));
    }

    /// By the socket: `postgres://worldbus@%2F…:PORT/worldbus`.
    pub fn url(&self) -> String {
        let socket = self.folder.path().display().to_string().replace('/', "%2F");
        format!("postgres://{OWNER}@{socket}:{}/{OWNER}", self.port)
    }

    /// Its port on loopback.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Runs SQL as superuser; what it returns, a line a row.
    pub fn sql(&self, database: &str, sql: &str) -> String {
        let mut psql = self.psql();
        psql.args(["-d", database, "-v", "ON_ERROR_STOP=1", "-X", "-At", "-c", sql]);
        String::from_utf8(run(&mut psql).stdout).unwrap()
    }

    /// Sets a setting of the server, for what connects from now on.
    pub fn set(&self, name: &str, value: &str) {
        self.sql("postgres", &format!("ALTER SYSTEM SET {name} = '{value}'"));
        self.sql("postgres", "SELECT pg_reload_conf()");
        let shown = format!("SHOW {name}");
        wait("the setting holds", || self.sql("postgres", &shown).trim() == value);
    }

    /// Writes a file into the cluster that only the server may read; its path.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.data().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        if is_root() {
            chown(&path, Some(OWNER_ID), Some(OWNER_ID)).unwrap();
        }
        path
    }

    /// kill -9 of the server and all its processes.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let id = child.id();
            let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
            let children = children.unwrap_or_default();
            let _ = child.kill();
            let _ = child.wait();
            // Those that serve connections would finish what they do.
            let mut strike = Command::new("kill");
            strike.arg("-KILL").args(children.split_whitespace()).stderr(Stdio::null());
            let _ = strike.status();
        }
    }

    /// Starts it again after [`PostgresServer::kill`], and waits until it answers.
    pub fn restart(&mut self) {
        let (end, mut output) = (Instant::now() + DEADLINE, String::new());
        while self.child.is_none() {
            assert!(Instant::now() < end, "PostgreSQL does not start: {output}");
            output = self.launch();
        }
    }

    /// Starts it once; without success what it wrote. What a killed one held may still be held.
    fn launch(&mut self) -> String {
        let log = self.folder.path().join("log");
        let mut postgres = self.program("postgres");
        postgres.arg("-D").arg(self.data()).arg("-k").arg(self.folder.path());
        postgres.args(["-p", &self.port.to_string(), "-h", "127.0.0.1", "-c", "fsync=on"]);
        // After a kill it syncs a thousand files one by one, else: some seconds.
        postgres.args(["-c", "recovery_init_sync_method=syncfs"]);
        postgres.stdout(Stdio::null()).stderr(std::fs::File::create(&log).unwrap());
        let mut child = postgres.stdin(Stdio::null()).spawn().unwrap();
        let end = Instant::now() + DEADLINE;
        while child.try_wait().unwrap().is_none() {
            let mut ready = self.psql_program("pg_isready");
            if ready.arg("-q").status().unwrap().success() {
                self.child = Some(child);
                return String::new();
            }
            assert!(Instant::now() < end, "PostgreSQL does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
        std::fs::read_to_string(&log).unwrap_or_default()
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A program that runs as the owner of the cluster.
    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        command.current_dir("/").env("LC_ALL", "C");
        if is_root() {
            command.uid(OWNER_ID).gid(OWNER_ID);
        }
        command
    }

    fn psql(&self) -> Command {
        self.psql_program("psql")
    }

    /// A client over the socket.
    fn psql_program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        command.arg("-h").arg(self.folder.path()).args(["-p", &self.port.to_string(), "-U", OWNER]);
        command
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Waits until a condition holds.
fn wait(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !holds() {
        assert!(Instant::now() < end, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn run(command: &mut Command) -> Output {
    let output = command.stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed: {text}");
    output
}

/// The folder of `initdb` and `postgres`.
fn programs() -> PathBuf {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return PathBuf::from(folder);
    }
    let versions = std::fs::read_dir(DEBIAN).into_iter().flatten().flatten();
    let folders = versions.map(|version| version.path().join("bin"));
    let version = |folder: &Path| -> Option<u32> {
        folder.join("postgres").exists().then(|| {
            let name = folder.parent().and_then(Path::file_name).and_then(|name| name.to_str());
            name.and_then(|name| name.parse().ok()).unwrap_or(0)
        })
    };
    let latest = folders.filter_map(|folder| Some((version(&folder)?, folder))).max();
    latest.map(|(_, folder)| folder).unwrap_or_else(|| {
        panic!(
            "PostgreSQL is not installed in {DEBIAN}: `cargo xtask ci --only test` installs it \
             as root on Debian; or `apt-get install postgresql`; or set {FOLDER} to the folder \
             of initdb and postgres"
        )
    })
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    // Of what we have started, /proc/self is.
    std::fs::metadata("/proc/self").is_ok_and(|this| this.uid() == 0)
}
