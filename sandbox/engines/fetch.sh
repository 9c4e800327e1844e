#!/bin/bash
# fetch.sh KIND PREFIX - put a real database server into a private prefix, without installing anything.
#
#   KIND: mysql (unstable suite) | mariadb (trixie, 11.8) | mariadb-10.11 (bookworm)
#
# apt only resolves (against an EMPTY dpkg status) and downloads (signed lists, hashes checked by apt); dpkg-deb unpacks
# into PREFIX. The server runs with the prefix's own loader and C library, so the host's stay untouched and no root is
# needed. The mirror is the one this machine's apt already uses. Idempotent: PREFIX/.version present -> no network.
# Exit: 0 prints PREFIX/bin/<server>; 3 = cannot be had on this machine (the caller skips, and says so); 1 = broken.
set -euo pipefail

say() { echo "fetch: $*" >&2; }
kind=${1:?usage: fetch.sh KIND PREFIX}
prefix=${2:?usage: fetch.sh KIND PREFIX}
case $kind in
  mysql) suite=sid package=mysql-server-core binary=/usr/sbin/mysqld ;;
  mariadb) suite=trixie package=mariadb-server-core binary=/usr/sbin/mariadbd ;;
  mariadb-10.11) suite=bookworm package=mariadb-server-core binary=/usr/sbin/mariadbd ;;
  *) say "unknown kind $kind"; exit 1 ;;
esac
executable=$(basename "$binary")

for tool in apt-get apt-cache dpkg-deb flock; do
  command -v "$tool" >/dev/null || { say "$tool is not on this machine"; exit 3; }
done
have() { [ -f "$prefix/.version" ] && [ -x "$prefix/bin/$executable" ]; }
if have; then echo "$prefix/bin/$executable"; exit 0; fi

mkdir -p "$prefix"
prefix=$(cd "$prefix" && pwd)
exec 9>"$prefix.lock"
flock -w 600 9 || { say "another copy is still fetching $kind"; exit 3; }
if have; then echo "$prefix/bin/$executable"; exit 0; fi # another copy did it while we waited

mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' 'Component: main' \
  2>/dev/null | sort -u | head -n 1)
[ -n "$mirror" ] || { say "apt knows no Debian mirror (run apt-get update)"; exit 3; }
architecture=$(dpkg --print-architecture)

work=$prefix.work
rm -rf "$work"
mkdir -p "$work"/{etc,lists/partial,cache/archives/partial,debs}
trap 'rm -rf "$work" "$prefix.new"' EXIT
: >"$work/status"
echo "deb $mirror $suite main" >"$work/etc/sources.list"
options=(
  -o Dir::Etc::sourcelist="$work/etc/sources.list" -o Dir::Etc::sourceparts=/dev/null
  -o Dir::Etc::preferencesparts=/dev/null -o Dir::State="$work" -o Dir::State::lists="$work/lists"
  -o Dir::State::status="$work/status" -o Dir::Cache="$work/cache" -o APT::Sandbox::User="$(id -un)"
  -o Acquire::Retries=3 -o Acquire::Languages=none -o Acquire::http::Timeout=30
  -o APT::Install-Recommends=false -o APT::Architecture="$architecture" -o Debug::NoLocking=1 -qq
)

resolve() { # "package=version" per line: the solver first; the plain dependency closure while a suite is in transition
  apt-get "${options[@]}" -q=0 -s install "$package" 2>/dev/null |
    awk '$1 == "Inst" { v = $3; gsub(/[()]/, "", v); print $2 "=" v }' >"$work/wanted" || true
  if ! grep -q "^$package=" "$work/wanted"; then
    say "the solver failed, using the plain dependency closure"
    apt-cache "${options[@]}" depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks \
      --no-replaces --no-enhances "$package" 2>/dev/null | grep -E '^[a-z0-9]' | sort -u >"$work/wanted" || true
  fi
  # Maintainer scripts never run, so nothing that only they need is of use to the server.
  grep -vE '^(perl|perl-base|perl-modules-[0-9.]+|libperl[0-9.]+|libgdbm[^=]*|libdb5[^=]*|debconf|dpkg|tar|init-system-helpers|lsb-base|adduser|passwd)(=|$)' \
    "$work/wanted" >"$work/needed" || true
  grep -q "^$package" "$work/needed"
}
download() {
  local names
  mapfile -t names <"$work/needed"
  (cd "$work/debs" && rm -f ./*.deb && apt-get "${options[@]}" download "${names[@]}" >&2)
}

apt-get "${options[@]}" update >&2 || { say "the mirror cannot be reached"; exit 3; }
resolve || { say "$package is not in $suite"; exit 3; }
# A moving suite deletes the old .deb as soon as the new one lands: refresh the lists once and try again.
download || { apt-get "${options[@]}" update >&2 && resolve && download; } || { say "the download failed"; exit 3; }

new=$prefix.new
rm -rf "$new"
mkdir -p "$new"/usr/{lib,bin,sbin,lib64}
for directory in lib bin sbin lib64; do ln -s "usr/$directory" "$new/$directory"; done # merged /usr, whatever the .deb's layout
for deb in "$work"/debs/*.deb; do
  dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$new" --keep-directory-symlink --no-same-owner \
    --exclude='./usr/share/doc' --exclude='./usr/share/man' --exclude='./usr/share/locale' \
    --exclude='./usr/share/lintian' --exclude='./etc' --exclude='./var' --exclude='*/gconv/*' --exclude='./usr/share/perl*'
done
find "$new/usr/bin" -mindepth 1 ! -type d -delete # 80 MB of offline tools; only the server is wanted
rm -f "$new/bin"
mkdir -p "$new/bin" # our launcher, beside usr/sbin
loader=$(find "$new/usr/lib64" "$new/usr/lib" -maxdepth 2 -name 'ld-linux*.so*' | head -n 1)
[ -n "$loader" ] || { say "no dynamic loader in the prefix"; exit 1; }
cat >"$new/bin/$executable" <<LAUNCHER
#!/bin/bash
# The server with the prefix's own loader and libraries, wherever the prefix lies.
prefix=\$(cd "\$(dirname "\$(readlink -f "\$0")")/.." && pwd)
libraries=\$prefix/usr/lib
for d in "\$prefix"/usr/lib/*-linux-gnu "\$prefix"/usr/lib/*-linux-gnu/*/; do [ -d "\$d" ] && libraries=\$libraries:\$d; done
exec "\$prefix/${loader#"$new"/}" --inhibit-cache --library-path "\$libraries" --argv0 "\$prefix$binary" "\$prefix$binary" "\$@"
LAUNCHER
chmod 755 "$new/bin/$executable"
version=$("$new/bin/$executable" --no-defaults --version) || { say "the server does not start in its prefix"; exit 1; }
cp "$work/needed" "$new/.packages"
sed 's#.*Ver #Ver #' <<<"$version" >"$new/.version"
chmod -R a+rX "$new"
rm -rf "$prefix"
mv "$new" "$prefix"
say "$kind: $(cat "$prefix/.version")"
echo "$prefix/bin/$executable"
