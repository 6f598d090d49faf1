//! Where the brokers are and how topics are created there, from a URL.

use rdkafka::ClientConfig;

/// How many partitions a created topic has unless the URL says otherwise.
const PARTITIONS: i32 = 16;
/// The most that the URL may ask for.
const MOST_PARTITIONS: i32 = 10_000;
/// Lets the broker decide (KIP-464).
const BROKERS_CHOICE: i32 = -1;

/// `kafka://host:port[,host:port][?partitions=16&replication=3]`, read.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Address {
    /// `host:port[,host:port]`.
    pub brokers: String,
    /// How many partitions a topic gets that is created.
    pub partitions: i32,
    /// How many replicas a topic gets that is created; -1 leaves it to the broker.
    pub replication: i32,
}

impl Address {
    /// Reads a URL; the error says what is wrong with it.
    pub(super) fn parse(url: &str) -> Result<Self, String> {
        let rest = url.strip_prefix("kafka://").ok_or("expected kafka://host:port[,host:port]")?;
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let brokers = place.trim_end_matches('/');
        if brokers.contains('@') {
            return Err("names a user: this bus speaks to brokers without login only".to_owned());
        }
        if brokers.contains('/') {
            return Err("has a path; a topic is named where it is published to".to_owned());
        }
        brokers.split(',').try_for_each(check_broker)?;
        let mut address =
            Self { brokers: brokers.to_owned(), partitions: PARTITIONS, replication: BROKERS_CHOICE };
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                "partitions" => address.partitions = number(&name, &value, MOST_PARTITIONS)?,
                "replication" => address.replication = number(&name, &value, i32::from(i16::MAX))?,
                other => return Err(format!("has the setting {other:?}; known: partitions, replication")),
            }
        }
        Ok(address)
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
        settings
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
        let full = Address::parse("kafka://a.example:9092,[::1]:9093?partitions=6&replication=3");
        let full = full.expect("is right");
        assert_eq!(full.brokers, "a.example:9092,[::1]:9093");
        assert_eq!((full.partitions, full.replication), (6, 3));
    }

    #[test]
    fn a_wrong_address_says_what_is_wrong() {
        let problem = |url| Address::parse(url).expect_err("is wrong");
        assert_eq!(problem("kafka://"), "\"\" is no host:port");
        assert_eq!(problem("kafka://a:9092,b"), "\"b\" is no host:port");
        assert_eq!(problem("kafka://a:0"), "\"a:0\" is no host:port");
        assert!(problem("kafka://me:secret@a:9092").starts_with("names a user"));
        assert!(!problem("kafka://me:secret@a:9092").contains("secret"));
        assert_eq!(problem("kafka://a:9092?partitions=0"), "has partitions=0, expected 1 to 10000");
        assert_eq!(problem("kafka://a:1?acks=0"), "has the setting \"acks\"; known: partitions, replication");
    }
}
