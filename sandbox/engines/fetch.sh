#!/bin/bash
# fetch.sh KIND PREFIX - put a real database server into a private prefix, without installing anything.
#
#   KIND: mysql (unstable suite) | mariadb (trixie, 11.8) | mariadb-10.11 (bookworm)
#
# ../debs.sh downloads, dpkg-deb unpacks into PREFIX. The server runs with the prefix's own loader and C library, so the
# host's stay untouched and no root is needed. Idempotent: PREFIX/.version present -> no network.
# Exit: 0 prints PREFIX/bin/<server>; 3 = cannot be had on this machine (the caller skips, and says so); 1 = broken.
set -euo pipefail

. "$(dirname "$0")/../debs.sh"
kind=${1:?usage: fetch.sh KIND PREFIX}
prefix=${2:?usage: fetch.sh KIND PREFIX}
case $kind in
  mysql) suite=sid package=mysql-server-core binary=/usr/sbin/mysqld ;;
  mariadb) suite=trixie package=mariadb-server-core binary=/usr/sbin/mariadbd ;;
  mariadb-10.11) suite=bookworm package=mariadb-server-core binary=/usr/sbin/mariadbd ;;
  *) say "unknown kind $kind"; exit 1 ;;
esac
executable=$(basename "$binary")

has_apt || exit 3
have() { [ -f "$prefix/.version" ] && [ -x "$prefix/bin/$executable" ]; }
if have; then echo "$prefix/bin/$executable"; exit 0; fi

mkdir -p "$prefix"
prefix=$(cd "$prefix" && pwd)
exec 9>"$prefix.lock"
flock -w 600 9 || { say "another copy is still fetching $kind"; exit 3; }
if have; then echo "$prefix/bin/$executable"; exit 0; fi # another copy did it while we waited

work=$prefix.work
rm -rf "$work"
mkdir -p "$work"
trap 'rm -rf "$work" "$prefix.new"' EXIT
download_debs "$suite" "$work" "$package" || exit 3

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
