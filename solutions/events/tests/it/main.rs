//! The events hub against sources: our own stand-ins, and a real pretix where one was started.

mod base;
mod changes;
mod child;
mod collecting;
mod converging;
mod crashing;
mod declared;
mod equality;
mod fake_eventbrite;
mod fake_pretix;
mod faults;
mod feeds;
mod gates;
mod hooks;
mod hostile;
mod hub;
mod pages;
mod pretalx_api;
mod pretix_api;
mod real_pretalx;
mod real_pretix;
mod simulated;
mod staleness;
mod vanishing;
mod visiting;
mod watching;
