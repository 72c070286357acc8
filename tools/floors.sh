#!/bin/sh
# Checks that every #include of ours stays within its room or goes down (mk/floors.txt).
set -eu
cd "$(dirname "$0")/.."
bad=0
for file in $(find src apps examples include -name '*.[chS]' | sort); do
    case $file in
    src/*) room=${file#src/} room=${room%%/*} ;;
    include/gw/*) room=gw ;;
    *) room=${file%%/*} ;;
    esac
    allowed=$(sed -n "s/^$room: *//p" mk/floors.txt)
    for target in $(sed -n -e 's/^ *# *include *"\([a-z0-9_]*\)\/.*/\1/p' \
        -e 's/^ *# *include *<gw\/.*/gw/p' "$file" | sort -u); do
        [ "$target" = "$room" ] && continue
        case " $allowed " in
        *" $target "*) ;;
        *)
            echo "$file: room $room may not include from $target (mk/floors.txt)"
            bad=1
            ;;
        esac
    done
done
[ "$bad" = 0 ] && echo "floors: every include stays in its room or goes down"
exit "$bad"
