//! The policies around a service, as whole stack and layer by layer.

mod budget;
mod double;
mod hedge;
mod layers;
mod stack;
