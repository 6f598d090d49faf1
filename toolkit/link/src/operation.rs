//! What a contract offers: its operations and what may be done with each.

/// How an operation may be treated on its way.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Kind {
    /// Reads only: may be retried, hedged and cached.
    Query,
    /// Changes something: repeated only under an idempotency key.
    Command,
    /// Has no answer: the only kind that may ride the bus.
    Notice,
    /// Two-way stream: never resent.
    Stream,
}

/// One operation of a contract.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Operation {
    /// The contract's name, such as `voice.context`.
    pub contract: &'static str,
    /// The method's name, such as `record`.
    pub method: &'static str,
    /// `contract/method`, the address on every wire.
    pub path: &'static str,
    /// How it may be treated.
    pub kind: Kind,
}

/// A contract's name and operations, in the order in which the trait lists them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Contract {
    /// The contract's name, such as `voice.context`.
    pub name: &'static str,
    /// Its operations.
    pub operations: &'static [Operation],
}

impl Operation {
    /// Returns `contract/method`.
    pub const fn path(&self) -> &'static str {
        self.path
    }
}

impl Contract {
    /// Tells whether any operation is of `kind`: a wire that cannot carry it refuses the contract at the start.
    pub fn has(&self, kind: Kind) -> bool {
        self.operations.iter().any(|operation| operation.kind == kind)
    }

    /// Tells whether every operation is of `kind`.
    pub fn is_only(&self, kind: Kind) -> bool {
        self.operations.iter().all(|operation| operation.kind == kind)
    }
}
