//! What a failed call means: whether it happened, and what to do.
//!
//! Codes are of <https://www.postgresql.org/docs/current/errcodes-appendix.html>.

use std::error::Error as StdError;
use std::io;

use tokio_postgres::error::DbError;
use tokio_rustls::rustls;

use crate::limits::STATEMENT_MAX;
use worldbus_service::state::{Error, Kind};

/// The error of a call; `unanswered` is what one without an answer is: [`Kind::Busy`] if it changes
/// nothing, [`Kind::Io`] if it may have happened.
pub(crate) fn to_error(what: &str, error: tokio_postgres::Error, unanswered: Kind) -> Error {
    let (kind, context) = match error.as_db_error() {
        Some(refusal) => {
            let (kind, hint) = of_code(refusal.code().code(), unanswered);
            (kind, format!("{what}: {}{hint}", words(refusal)))
        }
        None => of_connection(what, &error, unanswered),
    };
    Error::new(kind, context).caused_by(error)
}

/// Whether the connection is of use after that error: not if the server ends it, writes elsewhere,
/// or knows our prepared statements no more.
pub(crate) fn leaves_the_connection(error: &tokio_postgres::Error) -> bool {
    let Some(refusal) = error.as_db_error() else { return false };
    let code = refusal.code().code();
    !matches!(code, "25006" | "0A000" | "26000")
        && !["08", "57P", "58", "XX"].iter().any(|class| code.starts_with(class))
}

fn words(refusal: &DbError) -> String {
    let detail = refusal.detail().map(|detail| format!(" ({detail})")).unwrap_or_default();
    format!("{} {}{detail}", refusal.code().code(), refusal.message())
}

fn of_code(code: &str, unanswered: Kind) -> (Kind, String) {
    let (kind, hint) = match code {
        "28P01" | "28000" => (
            Kind::Unopenable,
            "correct user and password, or let the server's pg_hba.conf admit this user from here",
        ),
        "3D000" => (Kind::Unopenable, "correct the name in the URL, or CREATE DATABASE"),
        "42501" => (
            Kind::Unopenable,
            "grant the user CONNECT on the database, CREATE and USAGE on the schema, and the \
             rights on the tables in it, or choose a schema of its own by ?schema=NAME",
        ),
        "25006" => (
            Kind::Busy,
            "the server is a standby or default_transaction_read_only is set: name the primary or \
             make it writable; writes resume automatically",
        ),
        "53100" => (
            Kind::Full,
            "the disk of the server is full: make room there; writes resume automatically",
        ),
        "53300" => (Kind::Busy, "raise max_connections of the server, or run fewer instances"),
        "57014" => {
            let hint = format!("; a statement may take {STATEMENT_MAX:?}; it is tried again");
            return (Kind::Busy, hint);
        }
        // Serialization, deadlock, a lock that others hold, a server that starts.
        "40001" | "40P01" | "55P03" | "57P03" => (Kind::Busy, "it is tried again"),
        // A plan of the tables as they were; the next connection makes another.
        "0A000" | "26000" => (Kind::Busy, "it is tried again"),
        "22021" | "22P05" => (Kind::Unencodable, "PostgreSQL has no such character"),
        "3F000" | "42P01" | "42703" | "42804" | "42883" | "XX001" | "XX002" => (
            Kind::Damaged,
            "the tables are not as this program made them: restore them from a copy, or choose \
             another schema by ?schema=NAME",
        ),
        _ if code.starts_with("53") => {
            (Kind::Busy, "the server lacks resources; it is tried again")
        }
        _ => return (unanswered, String::new()),
    };
    (kind, format!("; {hint}"))
}

fn of_connection(what: &str, error: &tokio_postgres::Error, unanswered: Kind) -> (Kind, String) {
    let why = chain(error);
    if find::<rustls::Error>(error).is_some() {
        let hint = "check the host's name, sslrootcert, and the certificate of the server";
        return (Kind::Unopenable, format!("{what}: {why}; {hint}"));
    }
    if error.is_closed() || find::<io::Error>(error).is_some() {
        return (unanswered, format!("{what} is unavailable: {why}"));
    }
    // No server spoke: a password that is missing, TLS that it does not have, a type of a column.
    if why.contains("password missing") {
        let hint = "the server asks for one: set it in the URL, or by WORLDBUS_STATE_PASSWORD and \
                    WORLDBUS_DATABASE_PASSWORD";
        return (Kind::Unopenable, format!("{what}: {why}; {hint}"));
    }
    (Kind::Unopenable, format!("{what}: {why}; check the URL, and the server's configuration"))
}

fn chain(error: &tokio_postgres::Error) -> String {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

fn find<T: StdError + 'static>(error: &tokio_postgres::Error) -> Option<&T> {
    let mut causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.find_map(|cause| cause.downcast_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_a_kind_and_what_to_do() {
        for (code, kind, hint) in [
            ("28P01", Kind::Unopenable, "password"),
            ("3D000", Kind::Unopenable, "CREATE DATABASE"),
            ("42501", Kind::Unopenable, "schema=NAME"),
            ("25006", Kind::Busy, "primary"),
            ("53100", Kind::Full, "make room"),
            ("53300", Kind::Busy, "max_connections"),
            ("53200", Kind::Busy, "resources"),
            ("57014", Kind::Busy, "10s"),
            ("40P01", Kind::Busy, "again"),
            ("42P01", Kind::Damaged, "restore"),
            ("57P01", Kind::Io, ""),
            ("58030", Kind::Io, ""),
        ] {
            let (found, text) = of_code(code, Kind::Io);
            assert_eq!(found, kind, "{code}");
            assert!(text.contains(hint), "{text}");
        }
    }
}
