//! Gives messages to a device over the broker, and tells how far they came.

use ieum_device::{Client, ClientError, Message, Published, Receipt};
use serde_json::Value;

use super::flows::OfDevice;
use crate::hermes;

/// How far messages came.
pub enum Reach {
    /// Somebody has all of them.
    Taken,
    /// They are with sessions that may lose them until they acknowledge them.
    UnderWay(OfDevice),
    /// Nobody is there.
    Nobody,
}

/// Publishes to a device what follows the `taken` first messages; what was published goes to `published`.
///
/// # Errors
/// As [`Client::put`]; `taken` says how many messages went out before.
pub fn publish(
    client: &Client,
    device: &str,
    messages: &[Value],
    taken: &mut usize,
    published: &mut Vec<Published>,
) -> Result<Reach, ClientError> {
    let mut under_way = OfDevice::new();
    for message in messages.iter().skip(*taken) {
        let message = Message::new(&format!("device/{device}/response"), message.to_string());
        let mut put = client.put(message.with_content_type("application/json"))?;
        // Who hears for sites alone takes everything and needs nothing else.
        let for_sites = device.starts_with(hermes::OWN_DEVICE);
        let takers = std::mem::take(&mut put.takers).into_iter();
        let takers = takers
            .filter(|taker| for_sites || !(taker.owner.starts_with('$') && &*taker.client == hermes::CLIENT));
        let receipts: Vec<Option<Receipt>> = takers.map(|taker| taker.receipt).collect();
        published.push(put);
        if receipts.is_empty() {
            *taken = 0;
            return Ok(Reach::Nobody);
        }
        *taken += 1;
        // With one of them it is safe; else one of them has to say so.
        under_way.extend(receipts.into_iter().collect::<Option<Vec<_>>>());
    }
    Ok(if under_way.is_empty() { Reach::Taken } else { Reach::UnderWay(under_way) })
}
