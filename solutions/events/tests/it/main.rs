//! The events hub against sources: our own stand-ins, and a real pretix where one was started.

mod collecting;
mod crashing;
mod fake_pretix;
mod hooks;
mod hub;
mod real_pretix;
mod simulated;
