//! What somebody may do to a host behind our back, and what a plan must call it.
//!
//! Kinds and edits that a twin does not allow are cases of `tests/resources` and of the kinds' own unit tests: swap
//! (`swap-*`: a container's kernel refuses swapon), kernel settings outside the network (`sysctl-read-only-in-a-container`,
//! `sysctl-ignored-by-the-kernel`), pending security upgrades (`upgrade-of-security-only`: the archive decides), a service
//! that does not come up, and links of their own (`symlink-*`: no region has one).

/// One edit.
pub(crate) struct Edit {
    /// What somebody did.
    pub(crate) what: &'static str,
    /// How, as shell commands on the host.
    pub(crate) done: &'static str,
    /// The ids that the plan must name, no more and no fewer; empty where nobody but its owner has a say.
    pub(crate) named: &'static [&'static str],
    /// Shell commands that fail unless the host is afterwards as it should be.
    pub(crate) mended: &'static str,
}

const fn edit(
    what: &'static str,
    done: &'static str,
    named: &'static [&'static str],
    mended: &'static str,
) -> Edit {
    Edit {
        what,
        done,
        named,
        mended,
    }
}

const PROXY: &str = "file /etc/apt/apt.conf.d/90geodeploy-proxy";
const JOURNAL: &str = "file /etc/systemd/journald.conf.d/60-geodeploy.conf";
const SITE: &str = "nginx /etc/nginx/sites-available/yourapp";

/// Edits of the system around the application.
pub(crate) const HOST: &[Edit] = &[
    edit(
        "a file's content",
        "echo '# mine' >> /etc/apt/apt.conf.d/90geodeploy-proxy",
        &[PROXY],
        "! grep mine /etc/apt/apt.conf.d/90geodeploy-proxy",
    ),
    edit(
        "a file's mode",
        "chmod 600 /etc/apt/apt.conf.d/90geodeploy-proxy",
        &[PROXY],
        "test $(stat -c %a /etc/apt/apt.conf.d/90geodeploy-proxy) = 644",
    ),
    edit(
        "a file's owner",
        "chown nobody /etc/apt/apt.conf.d/90geodeploy-proxy",
        &[PROXY],
        "test $(stat -c %U /etc/apt/apt.conf.d/90geodeploy-proxy) = root",
    ),
    edit(
        "a file's group",
        "chgrp adm /etc/apt/apt.conf.d/90geodeploy-proxy",
        &[PROXY],
        "test $(stat -c %G /etc/apt/apt.conf.d/90geodeploy-proxy) = root",
    ),
    edit(
        "a file removed",
        "rm /etc/apt/apt.conf.d/90geodeploy-proxy",
        &[PROXY],
        "test -s /etc/apt/apt.conf.d/90geodeploy-proxy",
    ),
    edit(
        "a file whose daemon must hear of it",
        "echo 'SystemMaxUse=1G' >> /etc/systemd/journald.conf.d/60-geodeploy.conf",
        &[JOURNAL],
        "! grep 1G /etc/systemd/journald.conf.d/60-geodeploy.conf; \
         test $(stat -c %Y /proc/$(systemctl show --value -p MainPID systemd-journald)) -ge \
         $(stat -c %Y /etc/systemd/journald.conf.d/60-geodeploy.conf)",
    ),
    edit(
        "a file that must not be there",
        "mkdir -p /etc/systemd/timesyncd.conf.d && echo '[Time]' > /etc/systemd/timesyncd.conf.d/60-geodeploy.conf",
        &["file /etc/systemd/timesyncd.conf.d/60-geodeploy.conf"],
        "test ! -e /etc/systemd/timesyncd.conf.d/60-geodeploy.conf",
    ),
    edit(
        "a folder's mode",
        "chmod 777 /opt/geodeploy/releases",
        &["directory /opt/geodeploy/releases"],
        "test $(stat -c %a /opt/geodeploy/releases) = 755",
    ),
    edit(
        "a folder's owner",
        "chown nobody /etc/yourapp",
        &["directory /etc/yourapp"],
        "test $(stat -c %U /etc/yourapp) = root",
    ),
    // Two, because lists that are older than an archive's file say nothing about it.
    edit(
        "an archive's file",
        "echo 'Enabled: no' >> /etc/apt/sources.list.d/mirror.sources",
        &["apt-source mirror", "upgrade security"],
        "! grep Enabled /etc/apt/sources.list.d/mirror.sources",
    ),
    edit(
        "package lists of last month",
        "touch -d '30 days ago' /var/lib/geodeploy/apt-refreshed; rm -f /var/lib/apt/periodic/update-success-stamp",
        &["upgrade security"],
        "find /var/lib/geodeploy/apt-refreshed -newermt '1 day ago' | grep -q .",
    ),
    edit(
        "a package removed",
        "dpkg --purge tree",
        &["package tree"],
        "command -v tree",
    ),
    edit(
        "a package held",
        "apt-mark hold tree",
        &["package tree"],
        "! apt-mark showhold | grep -x tree",
    ),
    edit(
        "the user's shell",
        "usermod --shell /bin/bash yourapp",
        &["user yourapp"],
        "getent passwd yourapp | grep -q /usr/sbin/nologin",
    ),
    edit(
        "the user in a group",
        "usermod --append --groups adm yourapp",
        &["user yourapp"],
        "! id -nG yourapp | grep adm",
    ),
    edit(
        "a kernel setting at boot",
        "echo 'net.ipv4.tcp_retries2 = 15' > /etc/sysctl.d/60-geodeploy-net.ipv4.tcp_retries2.conf",
        &["sysctl net.ipv4.tcp_retries2"],
        "grep -x 'net.ipv4.tcp_retries2 = 8' /etc/sysctl.d/60-geodeploy-net.ipv4.tcp_retries2.conf",
    ),
    edit(
        "a kernel setting in the running kernel",
        "echo 128 > /proc/sys/net/core/somaxconn",
        &["sysctl net.core.somaxconn"],
        "test $(cat /proc/sys/net/core/somaxconn) = 4096",
    ),
];

/// Edits of what serves.
pub(crate) const SERVING: &[Edit] = &[
    edit(
        "the environment",
        "echo 'LOG_LEVEL=debug' >> /etc/yourapp/env",
        &["file /etc/yourapp/env"],
        "! grep debug /etc/yourapp/env; test $(stat -c %a /etc/yourapp/env) = 600",
    ),
    edit(
        "the environment's mode",
        "chmod 644 /etc/yourapp/env",
        &["file /etc/yourapp/env"],
        "test $(stat -c %a /etc/yourapp/env) = 600",
    ),
    edit(
        "the generations' unit",
        "sed -i s/NoNewPrivileges=yes/NoNewPrivileges=no/ /etc/systemd/system/yourapp@.service",
        &["unit yourapp@.service"],
        "grep NoNewPrivileges=yes /etc/systemd/system/yourapp@.service; \
         test $(systemctl show --value -p NeedDaemonReload yourapp@1.service) = no",
    ),
    edit(
        "a unit edited and read by systemd",
        "sed -i s/Description=.*/Description=mine/ /etc/systemd/system/yourapp.service; systemctl daemon-reload",
        &["unit yourapp.service"],
        "systemctl show --value -p Description yourapp.service | grep Start",
    ),
    edit(
        "a service off at boot",
        "systemctl disable --quiet nginx.service",
        &["service nginx.service"],
        "systemctl is-enabled nginx.service",
    ),
    edit(
        "a service stopped",
        "systemctl stop nginx.service",
        &["service nginx.service"],
        "systemctl is-active nginx.service",
    ),
    edit(
        "a socket off at boot",
        "systemctl disable --quiet yourapp.socket",
        &["service yourapp.socket"],
        "systemctl is-enabled yourapp.socket",
    ),
    edit(
        "the site's text",
        "sed -i s/3600s/5s/ /etc/nginx/sites-available/yourapp",
        &[SITE],
        "grep 3600s /etc/nginx/sites-available/yourapp",
    ),
    edit(
        "the site's link removed",
        "rm /etc/nginx/sites-enabled/yourapp",
        &[SITE],
        "test $(readlink -f /etc/nginx/sites-enabled/yourapp) = /etc/nginx/sites-available/yourapp",
    ),
    edit(
        "the site's link bent",
        "ln -sfn /etc/nginx/nginx.conf /etc/nginx/sites-enabled/yourapp",
        &[SITE],
        "test $(readlink -f /etc/nginx/sites-enabled/yourapp) = /etc/nginx/sites-available/yourapp",
    ),
    edit(
        "nginx's own file",
        "sed -i 's/server_tokens off/server_tokens on/' /etc/nginx/nginx.conf; systemctl reload nginx",
        &["nginx /etc/nginx/nginx.conf"],
        "grep 'server_tokens off' /etc/nginx/nginx.conf",
    ),
];

/// Edits of the firewall; each is mended over a fresh connection.
pub(crate) const FIREWALL: &[Edit] = &[
    edit(
        "a rule deleted",
        "ufw delete allow proto tcp from any to any port 80",
        &["firewall ufw"],
        "ufw status | grep -q 80/tcp",
    ),
    edit(
        "a rule flushed from the kernel",
        "iptables -F ufw-user-input",
        &["firewall ufw"],
        "iptables -S ufw-user-input | grep -q 'dport 443'",
    ),
    edit(
        "the default turned to allow",
        "ufw default allow incoming",
        &["firewall ufw"],
        "ufw status verbose | grep -q 'deny (incoming)'",
    ),
    edit(
        "a rule of somebody's own",
        "ufw allow proto udp from any to any port 51820",
        &[],
        "ufw status | grep -q 51820/udp; ufw delete allow proto udp from any to any port 51820",
    ),
];
