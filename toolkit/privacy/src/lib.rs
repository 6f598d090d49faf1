//! Anonymity that is measured: what is given away about people, how safe it is, and what that costs in use.
//!
//! - [`anonymise`] makes a release of rows in which every class has at least `k` people and a diverse secret, by
//!   generalising along a [`Hierarchy`] per column and suppressing what remains; [`Loss`] says what that cost.
//! - [`Attack`] counts the people whom somebody who knows their attributes finds again.
//! - [`Table::protect`] takes small cells out of a table of counts so that its sums do not give them back.
//! - [`noise`] adds OpenDP's noise to counts and sums, [`Budget`] and [`Ledger`] keep within what may be spent.
//! - [`behaviour`] tells entry, stay, engagement and drop-off of visits with small groups taken out.
//!
//! Nothing here does input or output; whoever uses it brings rows, and keeps the ledger.

mod anonymise;
mod attack;
pub mod behaviour;
mod diversity;
mod error;
mod flow;
mod hierarchy;
mod ledger;
mod loss;
pub mod noise;
mod table;

pub use anonymise::{Class, Release, Rules, anonymise};
pub use attack::{Attack, unique_people};
pub use diversity::Diversity;
pub use error::{AnonymiseError, HierarchyError, LedgerError, NoiseError, TableError};
pub use hierarchy::{Column, Hierarchy};
pub use ledger::{Account, Answered, Budget, Charge, Epsilon, Ledger, Question, ask};
pub use loss::{Loss, Marginal};
pub use table::{Cell, Protected, Table};
