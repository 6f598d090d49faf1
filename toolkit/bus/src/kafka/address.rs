//! Where the brokers are, how they are spoken to and how topics are created there, from a URL.

use ieum_core::Secret;
use percent_encoding::percent_decode_str;
use rdkafka::ClientConfig;

/// How many partitions a created topic has unless the URL says otherwise.
const PARTITIONS: i32 = 16;
/// The most that the URL may ask for.
const MOST_PARTITIONS: i32 = 10_000;
/// Lets the broker decide (KIP-464).
const BROKERS_CHOICE: i32 = -1;
/// What stands first in a file of certificates (RFC 7468 §5).
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----";

/// `kafka[s]://[user:password@]host:port[,host:port][?partitions=16&replication=3&sasl=scram-sha-512&ca=/a.pem]`,
/// read. `kafkas` is TLS.
#[derive(Clone, Debug)]
pub(super) struct Address {
    /// `host:port[,host:port]`.
    pub brokers: String,
    /// How many partitions a topic gets that is created.
    pub partitions: i32,
    /// How many replicas a topic gets that is created; -1 leaves it to the broker.
    pub replication: i32,
    /// Whether connections are TLS.
    tls: bool,
    /// The file of the authorities whose word counts; without one those of the system.
    authorities: Option<String>,
    login: Option<Login>,
}

/// Who we are to the brokers, and how that is shown.
#[derive(Clone, Debug)]
struct Login {
    user: String,
    password: Secret,
    mechanism: Mechanism,
}

/// A SASL mechanism.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mechanism {
    /// RFC 4616: the password itself, which only TLS protects.
    Plain,
    /// RFC 7677: a proof that the password is known.
    ScramSha256,
    /// The same with the longer hash.
    ScramSha512,
}

impl Address {
    /// Reads a URL; the error says what is wrong with it, without the password.
    pub(super) fn parse(url: &str) -> Result<Self, String> {
        let (tls, rest) = match (url.strip_prefix("kafkas://"), url.strip_prefix("kafka://")) {
            (Some(rest), _) => (true, rest),
            (_, Some(rest)) => (false, rest),
            _ => return Err("expected kafka[s]://[user:password@]host:port[,host:port]".to_owned()),
        };
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (user, brokers) = match place.rsplit_once('@') {
            Some((user, brokers)) => (Some(user), brokers),
            None => (None, place),
        };
        let brokers = brokers.trim_end_matches('/');
        if brokers.contains('/') {
            return Err("has a path; a topic is named where it is published to".to_owned());
        }
        brokers.split(',').try_for_each(check_broker)?;
        let mut address = Self {
            brokers: brokers.to_owned(),
            partitions: PARTITIONS,
            replication: BROKERS_CHOICE,
            tls,
            authorities: None,
            login: user.map(login).transpose()?,
        };
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            address.set(&name, &value)?;
        }
        if !tls && address.login.as_ref().is_some_and(|login| login.mechanism == Mechanism::Plain) {
            let problem = "would send the password readable to everybody on the way; write kafkas://, or say \
                           sasl=scram-sha-512 where the brokers have no TLS";
            return Err(problem.to_owned());
        }
        Ok(address)
    }

    /// Takes one setting of the URL's query.
    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        match name {
            "partitions" => self.partitions = number(name, value, MOST_PARTITIONS)?,
            "replication" => self.replication = number(name, value, i32::from(i16::MAX))?,
            "sasl" => match &mut self.login {
                Some(login) => login.mechanism = Mechanism::read(value)?,
                None => {
                    return Err(
                        "has sasl= and names no user; write user:password@ before the host".to_owned()
                    );
                }
            },
            "ca" if self.tls => {
                check_authorities(value)?;
                self.authorities = Some(value.to_owned());
            }
            "ca" => return Err("has ca=, which counts for kafkas:// only".to_owned()),
            other => {
                return Err(format!("has the setting {other:?}; known: ca, partitions, replication, sasl"));
            }
        }
        Ok(())
    }

    /// Names the brokers without the login.
    pub(super) fn name(&self) -> String {
        format!("{}://{}", if self.tls { "kafkas" } else { "kafka" }, self.brokers)
    }

    /// Returns as whom we log in.
    pub(super) fn user(&self) -> Option<&str> {
        self.login.as_ref().map(|login| login.user.as_str())
    }

    /// Returns what every client of these brokers is set to.
    pub(super) fn settings(&self) -> ClientConfig {
        let mut settings = ClientConfig::new();
        settings
            .set("bootstrap.servers", &self.brokers)
            .set("client.id", "ieum")
            // A broker that comes back is found within a second, not ten.
            .set("reconnect.backoff.ms", "50")
            .set("reconnect.backoff.max.ms", "1000")
            // Topics are created by us, with the partitions that were asked for.
            .set("allow.auto.create.topics", "false");
        let protocol = match (self.tls, self.login.is_some()) {
            (false, false) => "plaintext",
            (false, true) => "sasl_plaintext",
            (true, false) => "ssl",
            (true, true) => "sasl_ssl",
        };
        settings.set("security.protocol", protocol);
        if let Some(authorities) = &self.authorities {
            settings.set("ssl.ca.location", authorities);
        }
        if let Some(login) = &self.login {
            settings
                .set("sasl.mechanisms", login.mechanism.name())
                .set("sasl.username", &login.user)
                .set("sasl.password", login.password.expose());
        }
        settings
    }
}

// === Mechanism ===

impl Mechanism {
    fn read(text: &str) -> Result<Self, String> {
        match text {
            "plain" => Ok(Self::Plain),
            "scram-sha-256" => Ok(Self::ScramSha256),
            "scram-sha-512" => Ok(Self::ScramSha512),
            other => Err(format!("has sasl={other}, expected plain, scram-sha-256 or scram-sha-512")),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha512 => "SCRAM-SHA-512",
        }
    }
}

/// Reads `user:password`, in which other letters are percent-encoded (RFC 3986 §3.2.1).
fn login(text: &str) -> Result<Login, String> {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8().map(std::borrow::Cow::into_owned);
    let (user, password) = text.split_once(':').unwrap_or((text, ""));
    match (decoded(user), decoded(password)) {
        (Ok(user), Ok(password)) if !user.is_empty() && !password.is_empty() => {
            Ok(Login { user, password: Secret::new(password), mechanism: Mechanism::Plain })
        }
        (Ok(_), Ok(_)) => Err("names a login without user or password; expected user:password@".to_owned()),
        _ => Err("has a login that is no percent-encoded UTF-8".to_owned()),
    }
}

fn check_authorities(path: &str) -> Result<(), String> {
    match std::fs::read_to_string(path) {
        Ok(text) if text.contains(CERTIFICATE) => Ok(()),
        Ok(_) => Err(format!("has ca={path}, which holds no certificate in PEM")),
        Err(error) => Err(format!("has ca={path}, which cannot be read: {error}")),
    }
}

fn check_broker(broker: &str) -> Result<(), String> {
    let (host, port) = broker.rsplit_once(':').ok_or_else(|| format!("{broker:?} is no host:port"))?;
    let port = port.parse::<u16>().unwrap_or(0);
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_');
    let in_brackets = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_host = in_brackets.map_or(!host.is_empty() && host.chars().all(plain), |host| {
        host.parse::<std::net::Ipv6Addr>().is_ok()
    });
    if is_host && port > 0 { Ok(()) } else { Err(format!("{broker:?} is no host:port")) }
}

fn number(name: &str, value: &str, most: i32) -> Result<i32, String> {
    let number = value.parse().ok().filter(|number| (1..=most).contains(number));
    number.ok_or_else(|| format!("has {name}={value}, expected 1 to {most}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_brokers_and_how_topics_are_created() {
        let plain = Address::parse("kafka://127.0.0.1:9092").expect("is right");
        assert_eq!((plain.brokers.as_str(), plain.partitions, plain.replication), ("127.0.0.1:9092", 16, -1));
        assert_eq!(plain.settings().get("security.protocol"), Some("plaintext"));
        let full = Address::parse("kafka://a.example:9092,[::1]:9093?partitions=6&replication=3");
        let full = full.expect("is right");
        assert_eq!(full.brokers, "a.example:9092,[::1]:9093");
        assert_eq!((full.partitions, full.replication), (6, 3));
    }

    #[test]
    fn an_address_says_who_we_are_and_who_the_brokers_must_be() {
        let file = tempfile::NamedTempFile::new().expect("makes a file");
        std::fs::write(file.path(), CERTIFICATE).expect("writes");
        let path = file.path().display().to_string();
        let url = format!("kafkas://m%40i:p%3A%2Fw@a:1,b:2?sasl=scram-sha-256&ca={path}");
        let address = Address::parse(&url).expect("is right");
        let settings = address.settings();
        let said =
            ["bootstrap.servers", "security.protocol", "sasl.mechanisms", "sasl.username", "sasl.password"];
        let said = said.map(|name| settings.get(name).unwrap_or_default());
        assert_eq!(said, ["a:1,b:2", "sasl_ssl", "SCRAM-SHA-256", "m@i", "p:/w"]);
        assert_eq!(settings.get("ssl.ca.location"), Some(path.as_str()));
        assert_eq!((address.name().as_str(), address.user()), ("kafkas://a:1,b:2", Some("m@i")));
        assert!(!format!("{address:?}").contains("p:/w"), "{address:?}");
        let tls = Address::parse("kafkas://a:1").expect("is right").settings();
        assert_eq!((tls.get("security.protocol"), tls.get("sasl.mechanisms")), (Some("ssl"), None));
        let readable = Address::parse("kafka://me:pw@a:1?sasl=scram-sha-512").expect("is right").settings();
        assert_eq!(readable.get("security.protocol"), Some("sasl_plaintext"));
    }

    #[test]
    fn a_wrong_address_says_what_is_wrong() {
        let problem = |url| {
            let problem = Address::parse(url).expect_err("is wrong");
            assert!(!problem.contains("secret"), "{problem}");
            problem
        };
        assert_eq!(problem("kafka://"), "\"\" is no host:port");
        assert_eq!(problem("kafka://a:9092,b"), "\"b\" is no host:port");
        assert_eq!(problem("kafka://a:0"), "\"a:0\" is no host:port");
        assert_eq!(problem("kafka://a:9092?partitions=0"), "has partitions=0, expected 1 to 10000");
        assert_eq!(
            problem("kafka://a:1?acks=0"),
            "has the setting \"acks\"; known: ca, partitions, replication, sasl"
        );
        assert!(problem("kafka://me:secret@a:9092").starts_with("would send the password readable"));
        assert_eq!(problem("kafkas://:secret@a:1"), problem("kafkas://me@a:1"));
        assert_eq!(problem("kafkas://me:secret%ff@a:1"), "has a login that is no percent-encoded UTF-8");
        assert_eq!(
            problem("kafkas://me:secret@a:1?sasl=gssapi"),
            "has sasl=gssapi, expected plain, scram-sha-256 or scram-sha-512"
        );
        assert!(problem("kafkas://a:1?sasl=plain").starts_with("has sasl= and names no user"));
        assert!(problem("kafka://a:1?ca=/a.pem").starts_with("has ca=, which counts for kafkas://"));
        assert!(problem("kafkas://a:1?ca=/no/file").starts_with("has ca=/no/file, which cannot be read: "));
    }
}
