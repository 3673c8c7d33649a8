//! The embedded Graph alone, for an exporter or a script of the user's.

use super::print::line;
use super::{Failure, stop};
use crate::cli::{Simulate, World};
use crate::simulator::{Options, Simulator};
use anyhow::Context as _;
use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// The file names of a written configuration.
const CONFIG_FILE: &str = "secure-score.yml";
const CA_FILE: &str = "simulator-ca.pem";

/// Runs until asked to stop.
pub(super) async fn run(flags: &Simulate) -> Result<(), Failure> {
    let options = options(
        &flags.world,
        flags.listen_address.address(),
        flags.control_listen_address.address(),
    );
    let simulator = Simulator::start(options)
        .await
        .map_err(anyhow::Error::from)?;
    line(format_args!("Graph and Entra  {}", simulator.url()));
    line(format_args!(
        "control API      {}",
        simulator.control_url().unwrap_or("off")
    ));
    if let Some(directory) = &flags.config_dir {
        let file = write_config(&simulator, directory).with_context(|| {
            format!(
                "the configuration cannot be written to {}",
                directory.display()
            )
        })?;
        line(format_args!(
            "configuration    {}\n\nWatch it with: secure-score-exporter --config.file {}",
            file.display(),
            file.display()
        ));
    }
    let signal = stop::requested().await;
    tracing::info!(signal, "stopping");
    simulator.stop().await;
    Ok(())
}

/// What the flags ask the simulator for.
pub(super) fn options(world: &World, listen: SocketAddr, control: SocketAddr) -> Options {
    Options {
        listen,
        control_listen: Some(control),
        tenants: usize::from(world.tenants),
        seed: world.seed,
        replay: world.replay.clone(),
        living: world.living(),
        ..Options::default()
    }
}

/// Writes a configuration that watches the simulator's tenants, with one file
/// per secret, as it would look for real ones.
fn write_config(simulator: &Simulator, directory: &Path) -> std::io::Result<PathBuf> {
    let secrets = directory.join("secrets");
    fs::create_dir_all(&secrets)?;
    fs::write(directory.join(CA_FILE), simulator.ca_pem())?;
    let mut text = format!(
        "# Watches the tenants of the simulator; written by `simulate --config-dir`.\n\
         refresh: {{profiles: 10s, scores: 10s}}\n\
         simulator: {{url: \"{}\", ca_file: {CA_FILE}}}\n\
         defaults: {{cloud: simulator, target: 80%}}\n\
         labels: {{accepted_by: plain, comment: plain}}\n\
         tenants:\n",
        simulator.url()
    );
    for tenant in simulator.tenants() {
        let secret = format!("secrets/{}", tenant.name);
        write_secret(&directory.join(&secret), &tenant.client_secret)?;
        text += &format!(
            "  - name: {}\n    tenant_id: {}\n    display_name: {:?}\n    \
             credential: {{type: client_secret, client_id: {}, client_secret_file: {secret}}}\n",
            tenant.name, tenant.entra_id, tenant.display_name, tenant.client_id
        );
    }
    let file = directory.join(CONFIG_FILE);
    fs::write(&file, text)?;
    Ok(file)
}

/// Readable by its owner only from the first moment on.
fn write_secret(path: &Path, secret: &str) -> std::io::Result<()> {
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(secret.as_bytes())
}
