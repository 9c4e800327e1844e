# Sourced by what takes programs from Debian without installing anything.
#
# apt only resolves (against an EMPTY dpkg status) and downloads (signed lists, hashes checked by apt). The mirror is the one
# that this machine's apt already uses.

say() { echo "fetch: $*" >&2; }

has_apt() { # whether this machine can do it; says what is missing
  local tool
  for tool in apt-get apt-cache dpkg-deb flock; do
    command -v "$tool" >/dev/null || { say "$tool is not on this machine"; return 1; }
  done
}

download_debs() { # SUITE WORK PACKAGE... - the packages and what they depend on, into WORK/debs; their names in WORK/needed
  local suite=$1 work=$2 mirror architecture
  packages=("${@:3}")
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' 'Component: main' \
    2>/dev/null | sort -u | head -n 1)
  [ -n "$mirror" ] || { say "apt knows no Debian mirror (run apt-get update)"; return 1; }
  architecture=$(dpkg --print-architecture)
  mkdir -p "$work"/{etc,lists/partial,cache/archives/partial,debs}
  : >"$work/status"
  echo "deb $mirror $suite main" >"$work/etc/sources.list"
  options=(
    -o Dir::Etc::sourcelist="$work/etc/sources.list" -o Dir::Etc::sourceparts=/dev/null
    -o Dir::Etc::preferencesparts=/dev/null -o Dir::State="$work" -o Dir::State::lists="$work/lists"
    -o Dir::State::status="$work/status" -o Dir::Cache="$work/cache" -o APT::Sandbox::User="$(id -un)"
    -o Acquire::Retries=3 -o Acquire::Languages=none -o Acquire::http::Timeout=30
    -o APT::Install-Recommends=false -o APT::Architecture="$architecture" -o Debug::NoLocking=1 -qq
  )
  apt-get "${options[@]}" update >&2 || { say "the mirror cannot be reached"; return 1; }
  _resolve "$work" || { say "${packages[0]} is not in $suite"; return 1; }
  # A moving suite deletes the old .deb as soon as the new one lands: refresh the lists once and try again.
  _download "$work" || { apt-get "${options[@]}" update >&2 && _resolve "$work" && _download "$work"; } ||
    { say "the download failed"; return 1; }
}

_resolve() { # "package=version" per line: the solver first; the plain dependency closure while a suite is in transition
  local work=$1
  apt-get "${options[@]}" -q=0 -s install "${packages[@]}" 2>/dev/null |
    awk '$1 == "Inst" { v = $3; gsub(/[()]/, "", v); print $2 "=" v }' >"$work/wanted" || true
  if ! grep -q "^${packages[0]}=" "$work/wanted"; then
    say "the solver failed, using the plain dependency closure"
    apt-cache "${options[@]}" depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks \
      --no-replaces --no-enhances "${packages[@]}" 2>/dev/null | grep -E '^[a-z0-9]' | sort -u >"$work/wanted" || true
  fi
  # Maintainer scripts never run, so nothing that only they need is of use.
  grep -vE '^(perl|perl-base|perl-modules-[0-9.]+|libperl[0-9.]+|libgdbm[^=]*|libdb5[^=]*|debconf|dpkg|tar|init-system-helpers|lsb-base|adduser|passwd)(=|$)' \
    "$work/wanted" >"$work/needed" || true
  grep -q "^${packages[0]}" "$work/needed"
}

_download() {
  local work=$1 names
  mapfile -t names <"$work/needed"
  (cd "$work/debs" && rm -f ./*.deb && apt-get "${options[@]}" download "${names[@]}" >&2)
}
