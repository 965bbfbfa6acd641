//! Tests of the whole room, with real sockets on loopback: a DNS server, a web server, and an authority for certificates.

mod aliases;
mod dns_server;
mod greeting;
mod mail_server;
mod message;
mod names;
mod outside;
mod pace;
mod politeness;
mod redirects;
mod stage;
mod trust;
mod ways;
mod web;
mod web_server;
