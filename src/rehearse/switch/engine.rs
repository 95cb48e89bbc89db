//! The switch's moving parts: devices, the clock that lets frames out in time, the control socket.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Notify;

use super::super::error::{Error, Result};
use super::SwitchConfig;
use super::control::{answer, stops};
use super::fabric::{Delivery, Fabric};

/// A whole frame: Ethernet's header, 1500 bytes, and room for a VLAN tag.
const FRAME: usize = 1600;

/// Fabric, devices and the clock's bell.
struct Engine {
    fabric: Mutex<Fabric>,
    bell: Condvar,
    devices: Vec<tap::Device>,
    stop: Notify,
    stopped: std::sync::atomic::AtomicBool,
}

/// Runs a switch until it is asked to stop. Needs a tokio runtime with more than one thread.
///
/// # Errors
/// When a device cannot be made (no root, no `/dev/net/tun`, name taken) or the socket cannot be bound.
pub async fn run(config: SwitchConfig) -> Result<()> {
    let devices = config
        .ports
        .iter()
        .map(|port| tap::open(&port.interface))
        .collect::<Result<Vec<_>>>()?;
    let engine = Arc::new(Engine {
        fabric: Mutex::new(Fabric::new(&config.ports, &config.links, Instant::now())),
        bell: Condvar::new(),
        devices,
        stop: Notify::new(),
        stopped: std::sync::atomic::AtomicBool::new(false),
    });
    let listener =
        UnixListener::bind(&config.socket).map_err(|why| Error::file(&config.socket, why))?;
    let clock = {
        let engine = Arc::clone(&engine);
        std::thread::spawn(move || engine.keep_time())
    };
    let mut readers = tokio::task::JoinSet::new();
    for port in 0..engine.devices.len() {
        let engine = Arc::clone(&engine);
        readers.spawn(async move { engine.read(port).await });
    }
    {
        let engine = Arc::clone(&engine);
        readers.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(converse(Arc::clone(&engine), stream));
            }
        });
    }
    engine.stop.notified().await;
    readers.shutdown().await;
    engine
        .stopped
        .store(true, std::sync::atomic::Ordering::Release);
    drop(engine.lock());
    engine.bell.notify_all();
    clock.join().ok();
    std::fs::remove_file(&config.socket).ok();
    Ok(())
}

impl Engine {
    /// A thread that panicked with the lock left a fabric that is still whole: each step ends before the next.
    fn lock(&self) -> MutexGuard<'_, Fabric> {
        self.fabric.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A device that is down drops what it gets, as a network card without a cable does.
    fn deliver(&self, deliveries: Vec<Delivery>) {
        for delivery in deliveries {
            self.devices[delivery.port].try_send(&delivery.frame).ok();
        }
    }

    async fn read(&self, port: usize) {
        let mut buffer = [0; FRAME];
        loop {
            let Ok(length) = self.devices[port].recv(&mut buffer).await else {
                // The device is not up yet, or is just being moved to its namespace.
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                continue;
            };
            let now = Instant::now();
            let mut fabric = self.lock();
            let before = fabric.next();
            let out = fabric.enter(port, &buffer[..length], now);
            let sooner = fabric
                .next()
                .is_some_and(|next| before.is_none_or(|before| next < before));
            drop(fabric);
            if sooner {
                self.bell.notify_one();
            }
            self.deliver(out);
        }
    }

    /// A thread of its own: the runtime's timers count whole milliseconds, this one wakes within a tenth of one.
    fn keep_time(&self) {
        let mut fabric = self.lock();
        while !self.stopped.load(std::sync::atomic::Ordering::Acquire) {
            let now = Instant::now();
            let out = fabric.due(now);
            if !out.is_empty() {
                drop(fabric);
                self.deliver(out);
                fabric = self.lock();
                continue;
            }
            fabric = match fabric.next() {
                Some(time) => {
                    let waited = self
                        .bell
                        .wait_timeout(fabric, time.saturating_duration_since(now));
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self
                    .bell
                    .wait(fabric)
                    .unwrap_or_else(PoisonError::into_inner),
            };
        }
    }
}

async fn converse(engine: Arc<Engine>, stream: UnixStream) {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let (reply, freed) = answer(&mut engine.lock(), &line);
        engine.deliver(freed);
        let mut text = serde_json::to_string(&reply).unwrap_or_default();
        text.push('\n');
        if writer.write_all(text.as_bytes()).await.is_err() {
            return;
        }
        if stops(&line) {
            engine.stop.notify_one();
        }
    }
}

#[cfg(target_os = "linux")]
mod tap {
    use super::{Error, Result};

    pub(super) type Device = tun_rs::AsyncDevice;

    pub(super) fn open(interface: &str) -> Result<Device> {
        tun_rs::DeviceBuilder::new()
            .name(interface)
            .layer(tun_rs::Layer::L2)
            .enable(false)
            .build_async()
            .map_err(|why| {
                Error::new(
                    format!("cannot make the device {interface}"),
                    why,
                    "run it as root on a machine with /dev/net/tun; `geodeploy rehearse down` frees names in use",
                )
            })
    }
}

#[cfg(not(target_os = "linux"))]
mod tap {
    use super::{Error, Result};

    /// There is none: no other system has TAP devices that can be given away to a namespace.
    pub(super) enum Device {}

    impl Device {
        pub(super) async fn recv(&self, _buffer: &mut [u8]) -> std::io::Result<usize> {
            match *self {}
        }

        pub(super) fn try_send(&self, _frame: &[u8]) -> std::io::Result<usize> {
            match *self {}
        }
    }

    pub(super) fn open(interface: &str) -> Result<Device> {
        let remedy = "use a Linux machine, or rehearse without twins: geodeploy rehearse --local";
        Err(Error::new(
            format!("cannot make the device {interface}"),
            "this is not Linux",
            remedy,
        ))
    }
}
