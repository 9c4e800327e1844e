#!/bin/bash
# fetch_browser.sh PREFIX - put Debian's headless Chromium into a private prefix, without installing anything.
#
# Of this machine's own suite, for it runs with the host's C library (it starts itself again, which a loader of its own would
# break). Everything else, fonts too, is the prefix's. Idempotent. Exit: 0 prints the launcher; 3 = cannot be had here.
set -euo pipefail

. "$(dirname "$0")/debs.sh"
prefix=${1:?usage: fetch_browser.sh PREFIX}
launcher=$prefix/bin/chromium
has_apt || exit 3
if [ -x "$launcher" ]; then echo "$launcher"; exit 0; fi
suite=$(. /etc/os-release && [ "$ID" = debian ] && echo "${VERSION_CODENAME:-}") || true
[ -n "$suite" ] || { say "this machine is not Debian"; exit 3; }

mkdir -p "$(dirname "$prefix")"
exec 9>"$prefix.lock"
flock -w 600 9 || { say "another copy is still fetching"; exit 3; }
if [ -x "$launcher" ]; then echo "$launcher"; exit 0; fi # another copy did it while we waited

work=$prefix.work new=$prefix.new
rm -rf "$work" "$new"
mkdir -p "$work" "$new/bin"
trap 'rm -rf "$work" "$new"' EXIT
download_debs "$suite" "$work" chromium-headless-shell fonts-dejavu-core || exit 3
for deb in "$work"/debs/*.deb; do
  case $(basename "$deb") in libc6_* | libllvm* | libgl1-mesa-dri_*) continue ;; esac # the host's; graphics cards
  dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$new" --no-same-owner --exclude='./usr/share/doc' --exclude='./usr/share/man' \
    --exclude='./usr/share/locale' --exclude='./etc' --exclude='./var'
done
cat >"$new/fonts.conf" <<'FONTS'
<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir prefix="relative">usr/share/fonts</dir><cachedir prefix="xdg">fontconfig</cachedir></fontconfig>
FONTS
cat >"$new/bin/chromium" <<'LAUNCHER'
#!/bin/bash
prefix=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
for d in "$prefix"/usr/lib/*-linux-gnu "$prefix"/usr/lib/*-linux-gnu/*/ "$prefix"/lib/*-linux-gnu; do
  [ -d "$d" ] && libraries=${libraries:+$libraries:}$d
done
export LD_LIBRARY_PATH=$libraries FONTCONFIG_FILE=$prefix/fonts.conf
exec "$prefix/usr/lib/chromium/chromium-headless-shell" "$@"
LAUNCHER
chmod 755 "$new/bin/chromium"
"$new/bin/chromium" --no-sandbox --disable-gpu --dump-dom 'data:text/html,<p>there' 2>/dev/null | grep -q there ||
  { say "Debian's Chromium does not start here"; exit 3; }
chmod -R a+rX "$new"
rm -rf "$prefix"
mv "$new" "$prefix"
echo "$launcher"
