//! How a process is started: a group of its own with a keeper in it, limits, and a lifeline.

use std::io;
use std::process::Stdio;

use tokio::io::AsyncWriteExt;
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

use crate::ProcessOptions;

/// The shell of every POSIX system: it sets the limit before the program's first instruction, for all that the program
/// starts too, and becomes the program, whose number stays the one that was started.
const SHELL: &str = "/bin/sh";

/// The keeper waits at the lifeline. A word there ends the group at once; the end of it asks the group to end first, and
/// ends it `$2` seconds later. It stands aside of the program's own children (twice forked), so that a program that
/// waits for any child never waits for it. `$1` is the limit of private memory in KiB (`ulimit -d`, POSIX.1-2024).
const KEEPER: &str = r#"
exec 3<&0 </dev/null
( (
    trap '' TERM HUP INT
    read -r word <&3 || { kill -TERM 0; sleep "$2"; }
    kill -KILL 0
) >/dev/null 2>&1 & )
exec 3<&-
ulimit -d "$1" 2>/dev/null || :
shift 2
exec "$@"
"#;

/// Where programs are looked for where the environment names no `PATH`.
pub const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// How much more private memory may be asked for than may be held: runtimes ask for more than they touch, and what is
/// held is looked at only every now and then.
const ROOM: u64 = 256 << 20;

/// A process that was started. Dropping it ends the process and its group.
pub struct Launched {
    pub child: Child,
    lifeline: Option<ChildStdin>,
}

/// What a process says.
pub struct Voices {
    pub output: ChildStdout,
    pub errors: ChildStderr,
}

// === Launched ===

impl Launched {
    /// Starts `options.command`.
    pub fn start(options: &ProcessOptions) -> io::Result<(Self, Voices)> {
        let data = options.memory.saturating_mul(2).saturating_add(ROOM) / 1_024;
        let grace = options.grace.as_secs().max(1);
        let mut command = Command::new(SHELL);
        command.args(["-c", KEEPER, &options.name, &data.to_string(), &grace.to_string()]);
        command.args(&options.command);
        command.env_clear().env("PATH", PATH).envs(&options.environment);
        if let Some(folder) = &options.folder {
            // The system's own word is the same as for a program that there is not.
            if !folder.is_dir() {
                let problem = format!("there is no folder {}", folder.display());
                return Err(io::Error::new(io::ErrorKind::NotFound, problem));
            }
            command.current_dir(folder);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.process_group(0).kill_on_drop(true);
        let mut child = command.spawn()?;
        let lifeline = child.stdin.take();
        let lacking = || io::Error::other("its pipes were not made");
        let output = child.stdout.take().ok_or_else(lacking)?;
        let errors = child.stderr.take().ok_or_else(lacking)?;
        Ok((Self { child, lifeline }, Voices { output, errors }))
    }

    /// Returns the number of its group.
    pub fn group(&self) -> Option<u32> {
        self.child.id()
    }

    /// Asks the group to end; it is ended a little later.
    pub fn let_go(&mut self) {
        self.lifeline = None;
    }

    /// Ends the group at once.
    pub async fn end(&mut self) {
        if let Some(mut lifeline) = self.lifeline.take() {
            // A keeper that is gone has nothing left to keep.
            let _ = lifeline.write_all(b"end\n").await;
        }
        // Already gone where the keeper was faster.
        let _ = self.child.start_kill();
    }
}
