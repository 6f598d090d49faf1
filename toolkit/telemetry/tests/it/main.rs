//! What a process tells about itself, as others see it.

mod health;
mod traces;
