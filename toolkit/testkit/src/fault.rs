//! Proxies that stand between a client and a server and break what passes, by a seed.
