//! Jars and what they need, fetched by Maven into the cache folder.

use std::path::PathBuf;
use std::process::Command;

use super::program;
use crate::failure::{Failure, Tried};
use crate::shell;

/// A jar: its group, name and version.
pub type Jar = (&'static str, &'static str, &'static str);

/// Returns the folder with the jars of `name` in this release, whether it was fetched already or not.
///
/// # Errors
/// When there is no cache folder.
pub fn folder(name: &str, release: &str) -> Result<PathBuf, Failure> {
    Ok(shell::cache_folder()?.join(name).join(release))
}

/// Fetches `jars` and all they need into their [`folder`], once.
///
/// # Errors
/// When a file cannot be written, or Maven does not bring them.
pub fn fetch(name: &str, release: &str, jars: &[Jar]) -> Result<(), Failure> {
    let folder = folder(name, release)?;
    let done = folder.join("complete");
    if done.is_file() {
        return Ok(());
    }
    println!("fetching {name} {release}");
    std::fs::create_dir_all(&folder).tried(format_args!("making {}", folder.display()))?;
    let project = folder.join("pom.xml");
    std::fs::write(&project, project_file(name, jars))
        .tried(format_args!("writing {}", project.display()))?;
    let mut command = Command::new(program("mvn")?);
    command.args(["--quiet", "--batch-mode", "dependency:copy-dependencies", "-DoutputDirectory=."]);
    shell::read("mvn dependency:copy-dependencies", command.current_dir(&folder))?;
    std::fs::write(&done, release).tried(format_args!("writing {}", done.display()))
}

fn project_file(name: &str, jars: &[Jar]) -> String {
    let dependencies: String = jars
        .iter()
        .map(|(group, name, version)| {
            format!(
                "    <dependency><groupId>{group}</groupId><artifactId>{name}</artifactId>\
                 <version>{version}</version></dependency>\n"
            )
        })
        .collect();
    format!(
        "<project xmlns=\"http://maven.apache.org/POM/4.0.0\">\n  <modelVersion>4.0.0</modelVersion>\n  \
         <groupId>ieum</groupId><artifactId>{name}</artifactId><version>1</version>\n  \
         <dependencies>\n{dependencies}  </dependencies>\n</project>\n"
    )
}
