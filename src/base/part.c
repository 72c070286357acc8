/* Byte strings one behind the other, each behind its length (u32be). */
#include "base/part.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"

enum { LEN_BYTES = 4 };

void part_put(struct buf *out, struct span bytes)
{
    buf_put_u32be(out, (uint32_t)bytes.len);
    buf_put_span(out, bytes);
}

static int put_content(struct buf *out, int fd, size_t max_bytes)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode))
        return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
    if (st.st_size > (off_t)max_bytes)
        return -EFBIG;
    size_t len = (size_t)st.st_size;
    uint8_t *to = buf_reserve(out, LEN_BYTES + len);
    ssize_t n = pread(fd, to + LEN_BYTES, len, 0);
    if (n != (ssize_t)len)
        return n < 0 ? -errno : -EIO;
    put_u32be(to, (uint32_t)len);
    buf_commit(out, LEN_BYTES + len);
    return 0;
}

int part_put_file(struct buf *out, const char *path, size_t max_bytes)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe would be waited for */
    if (fd < 0)
        return -errno;
    int rc = put_content(out, fd, max_bytes);
    close(fd);
    return rc;
}

bool part_take(struct span *rest, struct span *out)
{
    if (rest->len < LEN_BYTES || get_u32be(rest->at) > rest->len - LEN_BYTES)
        return false;
    *out = span_of(rest->at + LEN_BYTES, get_u32be(rest->at));
    *rest = span_skip(*rest, LEN_BYTES + out->len);
    return true;
}
