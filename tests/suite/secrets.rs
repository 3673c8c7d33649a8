//! No secret and no token gets out: every byte of every output is searched.

mod each_fault;
mod long_run;
mod net;
mod people;
