#!/bin/sh
# Installs mcp-python: the executable, its manual pages and shell completions.
set -eu

usage() {
  cat <<'USAGE'
Usage: install.sh [--prefix DIR] [--archive FILE [--sha256 HEX]] [--service ROLE]
       install.sh [--prefix DIR] --uninstall

From a checkout, builds what is missing or older than the sources, and installs it.

  --prefix DIR     install below DIR (default: /usr/local for root, ~/.local for others)
  --archive FILE   install from an archive made by `npm run build -- --archive` instead
  --sha256 HEX     what the archive's SHA-256 must be (default: what FILE.sha256 says)
  --service ROLE   then install a service of systemd: serve or host-agent (see mcp-python service)
  --uninstall      remove what was installed below the prefix, and nothing else
  --help           print this

Exit status: 0 done · 1 failed · 2 usage · 3 the archive's checksum is wrong or unknown
USAGE
}

fail() {
  status=$1
  shift
  printf 'install.sh: %s\n' "$*" >&2
  exit "$status"
}

prefix='' archive='' sha256='' service='' uninstall=false
while [ $# -gt 0 ]; do
  case $1 in
    --prefix=* | --archive=* | --sha256=* | --service=*)
      option=${1%%=*} value=${1#*=}
      shift
      set -- "$option" "$value" "$@"
      continue
      ;;
    --prefix | --archive | --sha256 | --service)
      [ -n "${2-}" ] || fail 2 "$1 needs a value. See --help."
      case $1 in
        --prefix) prefix=$2 ;;
        --archive) archive=$2 ;;
        --sha256) sha256=$2 ;;
        --service) service=$2 ;;
      esac
      shift 2
      ;;
    --uninstall) uninstall=true && shift ;;
    -h | --help) usage && exit 0 ;;
    *) fail 2 "Unknown argument $1. See --help." ;;
  esac
done
[ -z "$sha256" ] || [ -n "$archive" ] || fail 2 '--sha256 goes with --archive.'
case $service in
  '' | serve | host-agent) ;;
  *) fail 2 "There is no service $service; there are serve and host-agent." ;;
esac
if $uninstall && [ -n "$service" ]; then fail 2 'Use mcp-python service uninstall for the service.'; fi
if $uninstall && [ -n "$archive" ]; then fail 2 '--uninstall takes no archive.'; fi

if [ -z "$prefix" ]; then
  if [ "$(id -u)" -eq 0 ]; then prefix=/usr/local; else prefix=${HOME:?}/.local; fi
fi
case $prefix in
  /*) ;;
  *) prefix=$PWD/$prefix ;;
esac
prefix=${prefix%/}

# What we installed below the prefix, one relative path a line, folders that we made with a slash at the end.
list=share/mcp-python/installed

# Removes the listed files that are not in $1, and the listed folders that are then empty.
remove_listed() {
  [ -f "$prefix/$list" ] || return 0
  while IFS= read -r path; do
    case $path in
      */) continue ;;
    esac
    if ! grep -qxF -e "$path" "$1" && [ -e "$prefix/$path" ]; then
      rm -f "$prefix/$path"
      printf 'removed %s\n' "$prefix/$path"
    fi
  done <"$prefix/$list"
}

if $uninstall; then
  [ -f "$prefix/$list" ] || fail 1 "Nothing is installed below $prefix."
  remove_listed /dev/null
  folders=$(grep '/$' "$prefix/$list" | sort -r || true)
  rm -f "$prefix/$list"
  # Others may have put something there since: only what is empty goes.
  printf '%s\n' "$folders" | while IFS= read -r folder; do
    [ -z "$folder" ] || rmdir "$prefix/$folder" 2>/dev/null || true
  done
  exit 0
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/mcp-python-install.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
stage=$work/stage
mkdir "$stage"

checksum_of() {
  if command -v sha256sum >/dev/null; then sha256sum <"$1"; else shasum -a 256 <"$1"; fi | cut -d ' ' -f 1
}

from_archive() {
  [ -f "$archive" ] || fail 1 "There is no archive $archive."
  if [ -z "$sha256" ]; then
    [ -f "$archive.sha256" ] || fail 3 "The checksum is unknown: give --sha256, or put $archive.sha256 beside it."
    sha256=$(cut -d ' ' -f 1 <"$archive.sha256")
  fi
  sha256=$(printf %s "$sha256" | tr 'A-F' 'a-f')
  found=$(checksum_of "$archive")
  [ "$found" = "$sha256" ] || fail 3 "$archive is not what it should be: its SHA-256 is $found, expected $sha256."
  tar -xzf "$archive" -C "$work" || fail 1 "$archive cannot be unpacked."
  for folder in "$work"/mcp-python-*; do
    [ -f "$folder/bin/mcp-python" ] || fail 1 "$archive is no archive of mcp-python."
    rmdir "$stage" && mv "$folder" "$stage"
  done
}

from_checkout() {
  source=$(cd "$(dirname "$0")" && pwd)
  binary=$source/dist/mcp-python
  newer=''
  if [ -x "$binary" ]; then
    newer=$(cd "$source" && find bin src build build.mjs package.json package-lock.json -type f -newer "$binary" | head -n 1)
  fi
  if [ ! -x "$binary" ] || [ -n "$newer" ]; then
    command -v npm >/dev/null || fail 1 'Node 20 or later with npm is needed to build; or install from an archive.'
    [ -d "$source/node_modules" ] || (cd "$source" && npm ci >&2) || fail 1 'npm ci failed.'
    (cd "$source" && node build.mjs >&2) || fail 1 'The build failed.'
    # An unchanged build keeps its file: now it is known to be newer than the sources.
    touch "$binary"
  fi
  mkdir -p "$stage/bin" "$stage/share/doc/mcp-python" "$stage/share/bash-completion/completions" \
    "$stage/share/zsh/site-functions" "$stage/share/fish/vendor_completions.d"
  cp "$binary" "$stage/bin/mcp-python"
  for page in "$source"/man/*.[1-8]; do
    [ -f "$page" ] || continue
    mkdir -p "$stage/share/man/man${page##*.}"
    cp "$page" "$stage/share/man/man${page##*.}/"
  done
  for document in README.md LICENSE dist/THIRD-PARTY-LICENSES; do
    cp "$source/$document" "$stage/share/doc/mcp-python/"
  done
  "$binary" completion bash >"$stage/share/bash-completion/completions/mcp-python"
  "$binary" completion zsh >"$stage/share/zsh/site-functions/_mcp-python"
  "$binary" completion fish >"$stage/share/fish/vendor_completions.d/mcp-python.fish"
}

if [ -n "$archive" ]; then from_archive; else from_checkout; fi

# Makes a folder below the prefix with its parents, and notes those that were not there.
make_folder() {
  case $1 in
    . | '') mkdir -p "$prefix" && return ;;
  esac
  [ ! -d "$prefix/$1" ] || return 0
  make_folder "$(dirname "$1")"
  mkdir "$prefix/$1"
  printf '%s/\n' "$1" >>"$work/list"
}

# Puts $1 at $2 below the prefix with mode $3, in one step: whoever runs or reads the older one keeps it.
put() {
  target=$prefix/$2
  make_folder "$(dirname "$2")"
  printf '%s\n' "$2" >>"$work/list"
  if [ -f "$target" ] && [ ! -L "$target" ] && cmp -s "$1" "$target"; then
    printf 'unchanged %s\n' "$target"
    return
  fi
  trap 'rm -rf "$work" "$target.new.$$"' EXIT
  cp "$1" "$target.new.$$"
  chmod "$3" "$target.new.$$"
  if [ "$3" = 755 ] && ! "$target.new.$$" --version >/dev/null 2>&1; then
    fail 1 'The executable does not run on this machine. Is it for another one?'
  fi
  mv -f "$target.new.$$" "$target"
  trap 'rm -rf "$work"' EXIT
  printf 'installed %s\n' "$target"
}

: >"$work/list"
mkdir -p "$prefix" 2>/dev/null || true
[ -w "$prefix" ] || fail 1 "$prefix cannot be written: use another --prefix, or run as root."
[ ! -f "$prefix/$list" ] || grep '/$' "$prefix/$list" >>"$work/list" || true
(cd "$stage" && find . -type f) | sed 's,^\./,,' | sort >"$work/files"
while IFS= read -r path; do
  case $path in
    bin/*) put "$stage/$path" "$path" 755 ;;
    *) put "$stage/$path" "$path" 644 ;;
  esac
done <"$work/files"
remove_listed "$work/files"
make_folder "$(dirname "$list")"
sort -u -o "$work/list" "$work/list"
if ! cmp -s "$work/list" "$prefix/$list"; then
  cp "$work/list" "$prefix/$list.new.$$"
  mv -f "$prefix/$list.new.$$" "$prefix/$list"
fi

case ":$PATH:" in
  *":$prefix/bin:"*) ;;
  *) printf 'Put %s on your PATH to run mcp-python by its name.\n' "$prefix/bin" >&2 ;;
esac
[ -z "$service" ] || "$prefix/bin/mcp-python" service install "$service"
