//! The exporter behind Debian's nginx in its default configuration, asked by a
//! client of the network.

use crate::process::{Process, free_port, program};
use crate::simulated::Simulated;
use reqwest::{Client, StatusCode};
use serde_json::json;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const PASSWORD: &str = "correct horse battery staple";
const WHO: &str = "alex.wilber@contoso.example";
const WHY: &str = "ask Alex about this one";

/// Locations of nginx and their directives. None tells the exporter that there
/// is a proxy.
const LOCATIONS: [(&str, &str); 3] = [
    ("plain", ""),
    ("host", "proxy_set_header Host $host;"),
    (
        "http11",
        "proxy_http_version 1.1; proxy_set_header Connection \"\"; proxy_set_header Host localhost;",
    ),
];

const PATHS: [&str; 5] = [
    "/",
    "/acceptances",
    "/tenants/contoso",
    "/api/v1/acceptances",
    "/metrics",
];

/// An exporter without persons in its labels, and nginx in front of it.
struct Proxied {
    _simulated: Simulated,
    _nginx: Process,
    exporter: Process,
    nginx_address: String,
}

impl Proxied {
    async fn start(web_config: &str) -> Self {
        let simulated = Simulated::start();
        let acceptance = json!({"by": WHO, "comment": WHY});
        simulated.accept("contoso", "AdminMFAV2", acceptance).await;
        simulated.configure("");
        let folder = simulated.folder();
        let web_file = folder.join("web.yml");
        fs::write(&web_file, web_config).unwrap();
        let exporter = Process::exporter(&[
            "--web.listen-address=127.0.0.1:0",
            "--config.file",
            &simulated.config(),
            "--web.config.file",
            &web_file.display().to_string(),
        ]);
        let exporter_address = exporter.word_after("address=");
        let nginx_address = format!("{}:{}", network_address(), free_port());
        let file = folder.join("nginx.conf");
        let text = nginx_configuration(folder, &nginx_address, &exporter_address);
        fs::write(&file, text).unwrap();
        let nginx = Process::start(
            Command::new(program("nginx", "nginx"))
                .arg("-e")
                .arg(folder.join("error.log"))
                .arg("-c")
                .arg(file),
        );
        let proxied = Self {
            _simulated: simulated,
            _nginx: nginx,
            exporter,
            nginx_address,
        };
        proxied.until_ready().await;
        proxied
    }

    /// Waits until nginx forwards, and the exporter shows the acceptance.
    async fn until_ready(&self) {
        let series = "control_risk_accepted{tenant=\"contoso\",control=\"AdminMFAV2\",category=\"Identity\"} 1";
        for _ in 0..1_200 {
            let body = self.get("plain", "/metrics", Some(PASSWORD)).await;
            if body.is_some_and(|(_, body)| body.contains(series)) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("never ready:\n{}", self.exporter.output());
    }

    /// Requests a path through a location, under the host name `localhost`.
    async fn get(
        &self,
        location: &str,
        path: &str,
        password: Option<&str>,
    ) -> Option<(StatusCode, String)> {
        let http = Client::builder().no_proxy().build().unwrap();
        let url = format!("http://{}/{location}{path}", self.nginx_address);
        let mut request = http.get(url).header("host", "localhost");
        if let Some(password) = password {
            request = request.basic_auth("auditor", Some(password));
        }
        let response = request.send().await.ok()?;
        Some((response.status(), response.text().await.ok()?))
    }

    /// Whether some page or document names the person or the reason.
    async fn names_a_person(&self, status: StatusCode, password: Option<&str>) -> bool {
        let mut found = false;
        for (location, _) in LOCATIONS {
            for path in PATHS {
                let (answered, body) = self.get(location, path, password).await.unwrap();
                assert_eq!(answered, status, "{location}{path}: {body}");
                found |= body.to_lowercase().contains("alex");
            }
        }
        found
    }
}

/// The machine's address in its network, or loopback where it has none.
fn network_address() -> IpAddr {
    let address = || {
        let socket = UdpSocket::bind("0.0.0.0:0")?;
        // Sends nothing: it only chooses a route. The address is reserved for
        // documents.
        socket.connect("192.0.2.1:9")?;
        socket.local_addr()
    };
    address().map_or(Ipv4Addr::LOCALHOST.into(), |address| address.ip())
}

/// Debian's configuration with the files and the sites of this test.
fn nginx_configuration(folder: &Path, listen: &str, exporter: &str) -> String {
    let installed = fs::read_to_string("/etc/nginx/nginx.conf").unwrap();
    let folder = folder.display();
    let locations = LOCATIONS.map(|(name, directives)| {
        format!("location /{name}/ {{ proxy_pass http://{exporter}/; {directives} }}\n")
    });
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {folder}/{kind};\n"));
    let site = format!(
        "{}server {{ listen {listen}; server_name _;\n{} }}\n",
        temporary.concat(),
        locations.concat()
    );
    let own_site = installed
        .replace("include /etc/nginx/conf.d/*.conf;", "")
        .replace("include /etc/nginx/sites-enabled/*;", &site)
        .replace("/var/log/nginx", &folder.to_string())
        .replace("/run/nginx.pid", &format!("{folder}/nginx.pid"));
    assert!(own_site.contains(listen), "not Debian's file:\n{installed}");
    // One process, which ends with the test.
    format!("daemon off; master_process off;\n{own_site}")
}

#[tokio::test(flavor = "multi_thread")]
async fn without_users_a_proxy_shows_no_person() {
    let proxied = Proxied::start("").await;
    assert!(!proxied.names_a_person(StatusCode::OK, None).await);
    let (_, page) = proxied.get("plain", "/acceptances", None).await.unwrap();
    assert!(page.contains("privacy.pages: show"), "the remedy: {page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_users_a_proxy_shows_persons_to_them_only() {
    let hash = bcrypt::hash(PASSWORD, 5).unwrap();
    let proxied = Proxied::start(&format!("basic_auth_users: {{auditor: {hash}}}\n")).await;
    let refused = StatusCode::UNAUTHORIZED;
    assert!(!proxied.names_a_person(refused, None).await);
    assert!(!proxied.names_a_person(refused, Some("guessed")).await);
    assert!(proxied.names_a_person(StatusCode::OK, Some(PASSWORD)).await);
}
