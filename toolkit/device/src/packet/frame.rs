//! Frames: the fixed header and the bytes that belong to it (MQTT 5 §2.1).

use bytes::{Buf, Bytes, BytesMut};

use super::Reason;

/// One packet of MQTT, not yet read.
pub struct Frame {
    /// The kind of packet and its flags.
    pub first: u8,
    /// What follows the fixed header.
    pub body: Bytes,
}

/// Why bytes are no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// It is longer than is taken.
    #[error("a packet is longer than is taken")]
    TooLarge,
    /// Its length has more than four bytes.
    #[error("a packet's length never ends")]
    Endless,
}

impl From<FrameError> for Reason {
    fn from(error: FrameError) -> Self {
        match error {
            FrameError::TooLarge => Self::PacketTooLarge,
            FrameError::Endless => Self::Malformed,
        }
    }
}

/// Cuts the next frame out of `buffer` as [`cut_frame`] does, and fails with what the other side is told.
pub(crate) fn next_frame(buffer: &mut BytesMut, most: usize) -> Result<Option<Frame>, Reason> {
    Ok(cut_frame(buffer, most)?)
}

/// Cuts the next frame out of `buffer`, or returns `None` where bytes are missing.
///
/// # Errors
/// A frame of more than `most` bytes, its fixed header among them, is refused as soon as its length is known, before
/// room is made for it; so is a length that never ends.
pub fn cut_frame(buffer: &mut BytesMut, most: usize) -> Result<Option<Frame>, FrameError> {
    let Some((header, body)) = lengths(buffer)? else { return Ok(None) };
    if header + body > most {
        return Err(FrameError::TooLarge);
    }
    if buffer.len() < header + body {
        buffer.reserve(header + body - buffer.len());
        return Ok(None);
    }
    let first = buffer[0];
    buffer.advance(header);
    Ok(Some(Frame { first, body: buffer.split_to(body).freeze() }))
}

/// Returns how long the fixed header and what follows it are.
fn lengths(bytes: &[u8]) -> Result<Option<(usize, usize)>, FrameError> {
    let mut body = 0;
    for index in 0..4 {
        let Some(byte) = bytes.get(1 + index) else { return Ok(None) };
        body |= usize::from(byte & 0x7F) << (7 * index);
        if byte & 0x80 == 0 {
            return Ok(Some((2 + index, body)));
        }
    }
    Err(FrameError::Endless)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_out_whole_however_the_bytes_arrive() {
        let mut all = BytesMut::new();
        all.extend_from_slice(&[0x30, 0x80, 0x01]);
        all.extend_from_slice(&[7; 128]);
        all.extend_from_slice(&[0xC0, 0]);
        let mut buffer = BytesMut::new();
        let mut frames = Vec::new();
        for byte in all {
            buffer.extend_from_slice(&[byte]);
            while let Some(frame) = next_frame(&mut buffer, 1_000).expect("is well formed") {
                frames.push((frame.first, frame.body.len()));
            }
        }
        assert_eq!(frames, [(0x30, 128), (0xC0, 0)]);
    }

    #[test]
    fn a_length_that_is_too_long_is_refused_before_its_bytes_arrive() {
        let mut large = BytesMut::from(&[0x30, 0xFF, 0xFF, 0xFF, 0x7F][..]);
        assert_eq!(next_frame(&mut large, 1_000).err(), Some(Reason::PacketTooLarge));
        let mut endless = BytesMut::from(&[0x30, 0xFF, 0xFF, 0xFF, 0xFF][..]);
        assert_eq!(next_frame(&mut endless, 1_000).err(), Some(Reason::Malformed));
    }
}
