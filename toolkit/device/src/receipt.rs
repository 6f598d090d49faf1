//! The receipt for a message: whether its taker acknowledged it, or lost it with its session.

use tokio::sync::oneshot;

/// Tells what became of a message that its taker may lose: in a session that ends with its connection, or with the
/// process.
#[derive(Debug)]
pub struct Receipt(oneshot::Receiver<()>);

/// The other end, with the message while that waits or is under way. Letting go of it says that the message is lost.
pub(crate) struct Stub(oneshot::Sender<()>);

impl Receipt {
    /// Makes both ends.
    pub(crate) fn with_stub() -> (Stub, Self) {
        let (stub, receipt) = oneshot::channel();
        (Stub(stub), Self(receipt))
    }

    /// Waits until the client acknowledged the message (PUBACK, PUBCOMP) or refused it for good; false once it never
    /// will: its session ended, or dropped the message for want of room.
    pub async fn is_acknowledged(self) -> bool {
        self.0.await.is_ok()
    }
}

impl Stub {
    /// Says that the message needs no other attempt.
    pub(crate) fn acknowledge(self) {
        // Whoever published it may have lost interest.
        let _ = self.0.send(());
    }
}
