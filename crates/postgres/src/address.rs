//! `postgres://USER:PASSWORD@HOST:PORT/DATABASE?…`.
//!
//! Not the driver's own reader: that takes thirty parameters, and lets one that is misspelt in a
//! value pass until the server meets it.

use std::net::IpAddr;
use std::path::PathBuf;

use worldbus_service::state::{Error, Kind};
use worldbus_service::{DatabaseUrl, Secret};

const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];
const PORT: u16 = 5432;
/// Where a user who owns the database can create tables.
const SCHEMA: &str = "public";
/// The longest name of a role, a database or a schema, in bytes
/// (<https://www.postgresql.org/docs/current/limits.html>). The server cuts longer ones silently.
const NAME_BYTES_MAX: usize = 63;
const EXAMPLE: &str = "postgres://USER:PASSWORD@HOST/DATABASE, e.g. \
                       postgres://worldbus@db.example/worldbus?sslmode=verify-full\
                       &sslrootcert=/etc/ssl/certs/ca-certificates.crt";

/// What a URL names. `Debug` does not print the password.
#[derive(Debug, Clone)]
pub struct Options {
    /// The role to log in as.
    pub user: String,
    /// Its password; without one the server must trust the user or its socket.
    pub password: Option<Secret>,
    /// The server's name or address, or the directory of its socket if it begins with `/`.
    pub host: String,
    /// Its port; of a socket, the number in the socket's name.
    pub port: u16,
    /// The database.
    pub database: String,
    /// Whether the connection is encrypted, and the server's certificate verified.
    pub encryption: Encryption,
    /// Where the tables are; created if it does not exist.
    pub schema: String,
    /// Statements of each connection's start: settings of the planner. None by a URL.
    pub session: &'static str,
}

/// How the connection is protected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Encryption {
    /// Not at all: for a socket, loopback, or a network that is trusted.
    Disable,
    /// Encrypted, but any peer that answers is taken for the server.
    Require,
    /// Encrypted, and the server has a certificate of its host name by one of the authorities in
    /// this PEM file.
    VerifyFull(PathBuf),
}

impl Options {
    /// Whether a URL names a database of PostgreSQL.
    pub fn matches(url: &str) -> bool {
        SCHEMES.iter().any(|scheme| url.starts_with(scheme))
    }

    /// Reads `postgres://USER:PASSWORD@HOST:PORT/DATABASE` with `sslmode`, `sslrootcert`, `schema`,
    /// and `host` for a socket's directory, which may also stand as host with `%2F` for `/`.
    ///
    /// # Errors
    /// [`Kind::Unsupported`], with what was found and what was expected, without the password.
    pub fn parse(url: &str) -> Result<Self, Error> {
        parse(url).map_err(|why| {
            let text =
                format!("invalid address of a PostgreSQL database: {why}; expected {EXAMPLE}");
            Error::new(Kind::Unsupported, text)
        })
    }

    /// The database that the settings name.
    ///
    /// # Errors
    /// As [`Options::parse`] and [`Options::with_password`].
    pub fn of(database: &DatabaseUrl) -> Result<Self, Error> {
        Self::parse(database.url.expose())?.with_password(database.password.clone())
    }

    /// The same with a password from elsewhere.
    ///
    /// # Errors
    /// [`Kind::Unsupported`] if the URL has one, too.
    pub fn with_password(mut self, password: Option<Secret>) -> Result<Self, Error> {
        if self.password.is_some() && password.is_some() {
            let text =
                format!("the URL of {} has a password already; set one of the two", self.name());
            return Err(Error::new(Kind::Unsupported, text));
        }
        self.password = self.password.or(password);
        Ok(self)
    }

    /// The database as messages name it.
    pub(crate) fn name(&self) -> String {
        let Self { database, host, port, .. } = self;
        format!("PostgreSQL database `{database}` at {host}:{port}")
    }
}

fn parse(url: &str) -> Result<Options, String> {
    let rest = SCHEMES.iter().find_map(|scheme| url.strip_prefix(scheme));
    let rest = rest.ok_or("it does not begin with postgres://")?;
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    if rest.find('@') > rest.find(['/', '?']).or(Some(rest.len())) {
        let why = "no USER@ before the first / or ?: in a password write %2F for / and %3F for ?";
        return Err(why.to_owned());
    }
    let (authority, database) = place.split_once('/').ok_or("no /DATABASE")?;
    let (login, host) = authority.rsplit_once('@').ok_or("no USER@")?;
    let (user, password) = login.split_once(':').map_or((login, None), |(u, p)| (u, Some(p)));
    let (host, port) = host_and_port(host)?;
    let query = Query::parse(query)?;
    let host = query.host(host)?;
    let encryption = query.encryption(&host)?;
    Ok(Options {
        user: name("user", &decode(user))?,
        password: password.map(|text| Secret::new(decode(text))),
        host,
        port,
        database: name("database", &decode(database))?,
        encryption,
        schema: name("schema", query.schema.as_deref().unwrap_or(SCHEMA))?,
        session: "",
    })
}

/// The parameters behind `?`.
#[derive(Default)]
struct Query {
    mode: Option<String>,
    authorities: Option<PathBuf>,
    schema: Option<String>,
    socket: Option<String>,
}

impl Query {
    fn parse(text: &str) -> Result<Self, String> {
        let mut query = Self::default();
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            let value = value.into_owned();
            let twice = match &*name {
                "sslmode" => query.mode.replace(value).is_some(),
                "sslrootcert" => query.authorities.replace(value.into()).is_some(),
                "schema" => query.schema.replace(value).is_some(),
                "host" => query.socket.replace(value).is_some(),
                _ => {
                    let known = "known are sslmode, sslrootcert, schema and host";
                    return Err(format!("unknown parameter `{name:.100}`; {known}"));
                }
            };
            if twice {
                return Err(format!("parameter `{name}` twice"));
            }
        }
        Ok(query)
    }

    fn host(&self, host: String) -> Result<String, String> {
        match (&self.socket, host.is_empty()) {
            (Some(socket), true) if socket.starts_with('/') => Ok(socket.clone()),
            (Some(_), true) => Err("parameter `host` is the directory of a socket, from /".into()),
            (Some(_), false) => Err("parameter `host` and a host behind @: set one".into()),
            (None, true) => Err("no host behind @".into()),
            (None, false) => Ok(host),
        }
    }

    fn encryption(&self, host: &str) -> Result<Encryption, String> {
        let near = is_on_this_machine(host);
        let mode = self.mode.as_deref();
        let wanted = match (mode, &self.authorities) {
            (None, None) if near => Encryption::Disable,
            (Some("disable"), None) => Encryption::Disable,
            (Some("require"), None) => Encryption::Require,
            (None | Some("verify-full"), Some(file)) => Encryption::VerifyFull(file.clone()),
            (None | Some("verify-full"), None) => {
                return Err(
                    "sslmode=verify-full, which is the default beyond this machine, needs \
                            sslrootcert=FILE (Debian's authorities are in \
                            /etc/ssl/certs/ca-certificates.crt); sslmode=require encrypts without \
                            verifying the server, and sslmode=disable does neither"
                        .into(),
                );
            }
            (Some("disable" | "require"), Some(_)) => {
                return Err("sslrootcert is for sslmode=verify-full".into());
            }
            (Some(other), _) => {
                return Err(format!(
                    "sslmode `{other:.100}`; known are disable, require and verify-full"
                ));
            }
        };
        if host.starts_with('/') && wanted != Encryption::Disable {
            return Err("a socket has no TLS: leave sslmode out".into());
        }
        Ok(wanted)
    }
}

fn host_and_port(text: &str) -> Result<(String, u16), String> {
    // Colons of an IPv6 address stand in brackets.
    let begin = text.rfind(']').unwrap_or(0);
    let (host, port) = match text[begin..].find(':') {
        Some(colon) => (&text[..begin + colon], &text[begin + colon + 1..]),
        None => (text, ""),
    };
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let port = match port {
        "" => PORT,
        text => match text.parse() {
            Ok(port) if port > 0 => port,
            _ => return Err(format!("port `{text:.100}`, which is not from 1 to 65535")),
        },
    };
    Ok((decode(host), port))
}

fn is_on_this_machine(host: &str) -> bool {
    let loopback = host.parse().is_ok_and(|address: IpAddr| address.is_loopback());
    host.starts_with('/') || host == "localhost" || loopback
}

fn name(of: &str, text: &str) -> Result<String, String> {
    match text.len() {
        0 => Err(format!("no {of}")),
        1..=NAME_BYTES_MAX if !text.contains('\0') => Ok(text.to_owned()),
        _ => Err(format!("{of} `{text:.100}`: at most {NAME_BYTES_MAX} bytes, none of them zero")),
    }
}

/// Percent-decodes a part of a URL in which `+` is itself.
fn decode(part: &str) -> String {
    let plain = part.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    form_urlencoded::parse(plain.as_bytes()).map(|(text, _)| text.into_owned()).collect()
}

#[cfg(test)]
mod tests;
