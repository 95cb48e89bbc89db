//! What a machine must be like to run mongod.

use std::fs;
use std::path::Path;

use super::super::error::{Error, Result};
use super::super::shell::{Call, Output, tail};

/// Debian's and Ubuntu's packages of the libraries that the mongod for Ubuntu 22.04 is linked with.
pub(super) const LIBRARIES: [&str; 3] = ["libcurl4", "liblzma5", "libssl3"];

const ELSEWHERE: &str = "rehearse with `mode = \"embedded\"` in [database], or on another machine";

/// Refuses a processor that mongod does not run on; twins share this machine's.
///
/// # Errors
/// On another architecture than x86_64, and without AVX.
pub(super) fn processor() -> Result<()> {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    suits(std::env::consts::ARCH, &text)
}

/// MongoDB needs AVX since 5.0: <https://www.mongodb.com/docs/manual/administration/production-notes/>.
fn suits(architecture: &str, cpuinfo: &str) -> Result<()> {
    if architecture != "x86_64" {
        let why =
            format!("this machine is {architecture}, and the mongod that PyPI has is for x86_64");
        return Err(Error::new(
            "no local archive of MongoDB can be made here",
            why,
            ELSEWHERE,
        ));
    }
    let flags = cpuinfo.lines().find(|line| line.starts_with("flags"));
    if flags.is_some_and(|flags| flags.split_whitespace().all(|flag| flag != "avx")) {
        return Err(without_avx());
    }
    Ok(())
}

fn without_avx() -> Error {
    let why = "this machine's processor has no AVX instructions, which MongoDB needs since 5.0";
    let remedy = format!("let a virtual machine see them (qemu: -cpu host); {ELSEWHERE}");
    Error::new("mongod cannot run here", why, remedy)
}

/// Runs `mongod --version`, and says what a machine lacks on which that fails.
///
/// # Errors
/// When a library, a newer C library or an instruction is missing.
pub(super) fn can_run(mongod: &Path) -> Result<()> {
    let output = Call::new([mongod.as_os_str(), "--version".as_ref()]).run()?;
    diagnosed(&output)
}

fn diagnosed(output: &Output) -> Result<()> {
    /// What a shell reports of a process that an illegal instruction ended.
    const ILLEGAL_INSTRUCTION: i32 = 128 + 4;
    let words = tail(&output.stderr, 3);
    let fails = |remedy: String| Err(Error::new("mongod cannot run here", &words, remedy));
    match output.status {
        0 => Ok(()),
        ILLEGAL_INSTRUCTION => Err(without_avx()),
        _ if words.contains("GLIBC_") => {
            fails("it needs glibc 2.35: Debian 12, Ubuntu 22.04 or newer".to_owned())
        }
        _ if words.contains("shared libraries") => {
            fails(format!("apt-get install {}", LIBRARIES.join(" ")))
        }
        status => fails(format!(
            "it ended with status {status}; run it by hand: mongod --version"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(status: i32, stderr: &str) -> Output {
        Output {
            status,
            stderr: stderr.to_owned(),
            ..Output::default()
        }
    }

    #[test]
    fn a_processor_without_avx_is_refused_with_the_reason() {
        let cpuinfo = "processor\t: 0\nflags\t\t: fpu sse4_2 aes f16c\n";
        let error = suits("x86_64", cpuinfo).unwrap_err();
        assert!(error.why.contains("no AVX"), "{error}");
        assert!(suits("x86_64", &cpuinfo.replace("f16c", "avx")).is_ok());
        // avx2 alone is no answer to whether avx is there.
        assert!(suits("x86_64", &cpuinfo.replace("f16c", "avx2")).is_err());
    }

    #[test]
    fn another_architecture_is_refused_by_its_name() {
        let error = suits("aarch64", "").unwrap_err();
        assert!(error.why.contains("aarch64"), "{error}");
    }

    #[test]
    fn what_mongod_lacks_is_told_with_what_to_type() {
        let library = "mongod: error while loading shared libraries: libcurl.so.4: cannot open shared object file";
        let error = diagnosed(&ended(127, library)).unwrap_err();
        assert_eq!(error.remedy, "apt-get install libcurl4 liblzma5 libssl3");
        assert!(error.why.contains("libcurl.so.4"));
        let old = "mongod: /lib/libc.so.6: version `GLIBC_2.34' not found (required by mongod)";
        assert!(
            diagnosed(&ended(1, old))
                .unwrap_err()
                .remedy
                .contains("2.35")
        );
        assert!(diagnosed(&ended(132, "")).unwrap_err().why.contains("AVX"));
        assert!(
            diagnosed(&ended(14, "odd"))
                .unwrap_err()
                .remedy
                .contains("status 14")
        );
        assert!(diagnosed(&ended(0, "")).is_ok());
    }
}
