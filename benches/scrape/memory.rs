//! What the process holds.

/// Resident memory, bytes (Linux).
pub(crate) fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kibibytes = line.unwrap().split_whitespace().nth(1).unwrap();
    kibibytes.parse::<usize>().unwrap() * 1024
}

/// Bytes as megabytes, for reading.
pub(crate) fn megabytes(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}
