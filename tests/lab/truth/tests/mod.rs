//! The truths themselves: the models on made-up records, the counters on made-up bytes, and real
//! streams over lines whose effect is known.

mod known;
mod lines;
mod models;
mod readers;
mod tables;
