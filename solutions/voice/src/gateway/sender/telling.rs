//! Tells what a row says to every device and open stream that it is for.

use std::collections::HashMap;

use ieum_device::ClientError;
use serde_json::Value;

use super::{Round, Sender, Sent};
use crate::gateway::envelope::{envelope, parts, whole};
use crate::gateway::reach::{Reach, publish};
use crate::hermes;
use crate::replies::{Waiting, count_let_go, person_lane, person_of};
use crate::streams::Told;

impl Sender {
    pub(super) fn send(&mut self, row: &Waiting, round: &mut Round) -> Sent {
        let spoken = self.spoken.take(&row.lane, row.position);
        if row.is_stale(self.manager.clock.now()) {
            count_let_go("old", 1);
            return Sent::Done;
        }
        let Some(words) = row.words() else {
            let message = envelope(row);
            return self.tell(row, std::slice::from_ref(&message), &message, &mut HashMap::new(), round);
        };
        // Sites speak themselves.
        if self.manager.mouth.is_none() || row.lane.starts_with(hermes::OWN_DEVICE) {
            return Sent::Done;
        }
        let Some(mut spoken) = spoken else {
            self.errands.speak(&self.manager, &row.lane, row.position, words);
            return Sent::Asking;
        };
        let Some(audio) = &spoken.audio else {
            count_let_go("unspoken", 1);
            return Sent::Done;
        };
        let (parts, whole) = (parts(row, audio), whole(row, audio));
        let sent = self.tell(row, &parts, &whole, &mut spoken.taken, round);
        // Whoever took a part has room for the rest soon; who is not there may stay away.
        if matches!(sent, Sent::Full | Sent::Asking) {
            self.spoken.put_back(&row.lane, spoken);
        }
        sent
    }

    /// Gives messages to every device that they are for, but for as many as it `taken` before, and to open streams.
    fn tell(
        &mut self,
        row: &Waiting,
        messages: &[Value],
        streamed: &Value,
        taken: &mut HashMap<String, usize>,
        round: &mut Round,
    ) -> Sent {
        let devices = match person_of(&row.lane) {
            None => vec![row.lane.clone()],
            Some(user) => match self.devices.get(&row.lane) {
                Some(devices) => devices.clone(),
                None => {
                    self.errands.devices(&self.manager, &row.lane, user);
                    return Sent::Asking;
                }
            },
        };
        let lanes = devices.iter().map(String::as_str).chain([row.lane.as_str()]);
        let told = self.manager.streams.tell(lanes, &streamed.to_string().into());
        let (mut is_taken, mut is_full) = (told == Told::Taken, told == Told::Full);
        let mut is_nowhere = !is_full && person_of(&row.lane).is_none();
        let mut under_way = Vec::new();
        for device in &devices {
            let taken = taken.entry(device.clone()).or_default();
            let reached = publish(&self.client, device, messages, taken, &mut round.published);
            is_nowhere &= matches!(reached, Err(ClientError::Topic { .. }));
            match reached {
                Ok(Reach::Taken) => is_taken = true,
                Ok(Reach::UnderWay(receipts)) => under_way.push(receipts),
                Err(ClientError::Full { .. }) => is_full = true,
                Ok(Reach::Nobody) | Err(_) => {}
            }
        }
        match (is_taken, is_full) {
            (true, _) => Sent::Done,
            // Nobody can ever listen to what is no topic.
            _ if is_nowhere => Sent::Done,
            _ if !under_way.is_empty() => Sent::UnderWay(under_way),
            (false, true) => Sent::Full,
            (false, false) => Sent::Nobody,
        }
    }

    /// Tells the person's streams what goes to one device of theirs, as it comes; those that listen to the device are told
    /// in its turn.
    pub(super) fn tell_streams_of_the_person(&self, row: &Waiting) {
        let Some(user) = row.person.as_ref().filter(|_| person_of(&row.lane).is_none()) else { return };
        if row.words().is_none() {
            let message = envelope(row).to_string().into();
            self.manager.streams.tell_besides([&*person_lane(user)], Some(&row.lane), &message);
        }
    }
}
