/*
 * Stands between a process and its files (LD_PRELOAD) and writes down, in one order, what the process does to one
 * folder: which bytes it writes, what it makes, renames and removes, and when it asks for what to be on disk.
 *
 * IEUM_POWER_FOLDER   the folder that is watched, absolute, without a slash at its end
 * IEUM_POWER_JOURNAL  the file that gets the records; `record.rs` reads them
 * IEUM_POWER_MARKS    what is written to this file becomes marks in the same order; a line that begins with '!'
 *                     is a command: "!full 1" lets every write that makes a file longer fail until "!full 0";
 *                     "!fail ERRNO AFTER TIMES" lets operations fail, TIMES of them, after AFTER went well
 *
 * No sync reaches the real disk: the simulated one is what counts, and a run takes seconds instead of minutes.
 * Files whose name ends in "-shm" are let through unseen: SQLite shares memory in them and rebuilds them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { CREATE = 1, WRITE, TRUNCATE, SYNC_BEGIN, SYNC_END, RENAME, UNLINK, MARK, STRANGE, FAILED, LINK };
enum { FDS = 65536, NODES = 4096, LONGEST = 512, MARKS = -2, ROOT = 1 };
/* How long a sync takes, so that others get to write meanwhile, as they do on a disk. */
static const struct timespec SYNC_TAKES = {0, 150000};

struct record {
    uint32_t kind, file;
    int64_t a, b;
    uint32_t length, length2;
};
struct node {
    char path[LONGEST];
    uint32_t id;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int ready, journal = -1;
static char folder[LONGEST], marks[LONGEST];
static struct node nodes[NODES];
static int node_count;
static uint32_t next_id = ROOT + 1;
static int fds[FDS];
static int64_t records;
static int full, fail_errno, fail_after, fail_times;

static void prepare(void) {
    const char *f = getenv("IEUM_POWER_FOLDER"), *j = getenv("IEUM_POWER_JOURNAL"), *m = getenv("IEUM_POWER_MARKS");
    if (ready) return;
    ready = 1;
    if (!f || !j || !m || strlen(f) >= LONGEST || strlen(m) >= LONGEST) return;
    strcpy(folder, f);
    strcpy(marks, m);
    journal = syscall(SYS_openat, AT_FDCWD, j, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    strcpy(nodes[0].path, folder);
    nodes[0].id = ROOT;
    node_count = 1;
}

static void enter(void) {
    pthread_mutex_lock(&lock);
    prepare();
}

static void leave(void) { int kept = errno; pthread_mutex_unlock(&lock); errno = kept; }

static int64_t note(uint32_t kind, uint32_t file, int64_t a, int64_t b, const void *one, size_t length, const void *two,
                    size_t length2) {
    struct record head = {kind, file, a, b, (uint32_t)length, (uint32_t)length2};
    struct iovec parts[3] = {{&head, sizeof head}, {(void *)one, length}, {(void *)two, length2}};
    size_t whole = sizeof head + length + length2;
    int kept = errno;
    if (journal >= 0 && syscall(SYS_writev, journal, parts, 3) != (long)whole) {
        /* A journal with a hole would make a wrong disk: better no run at all. */
        fprintf(stderr, "the journal of the power shim cannot be written\n");
        abort();
    }
    errno = kept;
    return records++;
}

static void strange(const char *what) { note(STRANGE, 0, 0, 0, what, strlen(what), NULL, 0); }

/* Returns the path as it is watched, or NULL where it is not. */
static const char *watched(int at, const char *path) {
    size_t length = strlen(folder), given;
    if (journal < 0 || !path) return NULL;
    if (path[0] != '/') {
        if (at != AT_FDCWD && at >= 0 && at < FDS && fds[at] > 0) strange("a path relative to a watched folder");
        return NULL;
    }
    if (strncmp(path, folder, length) || (path[length] && path[length] != '/')) return NULL;
    given = strlen(path);
    if (given >= LONGEST) { strange("a path that is too long"); return NULL; }
    if (given > 4 && !strcmp(path + given - 4, "-shm")) return NULL;
    return path;
}

static struct node *find(const char *path) {
    for (int i = 0; i < node_count; i++)
        if (!strcmp(nodes[i].path, path)) return &nodes[i];
    return NULL;
}

static void forget(struct node *node) { *node = nodes[--node_count]; }

/* Returns the id of the folder that holds `path` and lets `name` begin at the last part of `path`. */
static uint32_t parent(const char *path, const char **name) {
    char above[LONGEST];
    const char *slash = strrchr(path, '/');
    struct node *node;
    *name = slash + 1;
    memcpy(above, path, slash - path);
    above[slash - path] = 0;
    node = find(above);
    if (!node) strange("a folder that was there before");
    return node ? node->id : 0;
}

static struct node *make(const char *path, int is_folder) {
    const char *name;
    uint32_t above = parent(path, &name);
    struct node *node = &nodes[node_count];
    if (node_count + 1 >= NODES) { strange("too many files"); return NULL; }
    node_count++;
    strcpy(node->path, path);
    node->id = next_id++;
    note(CREATE, node->id, above, is_folder, name, strlen(name), NULL, 0);
    return node;
}

static int id_of(int fd) { return fd >= 0 && fd < FDS ? fds[fd] : 0; }

/* Returns an errno where this operation is to fail. */
static int fate(void) {
    if (!fail_times) return 0;
    if (fail_after > 0) { fail_after--; return 0; }
    fail_times--;
    note(FAILED, 0, fail_errno, 0, NULL, 0, NULL, 0);
    return fail_errno;
}

static void obey(const char *text, size_t length) {
    char line[128];
    if (length >= sizeof line) return;
    memcpy(line, text, length);
    line[length] = 0;
    if (sscanf(line, "!full %d", &full) == 1) return;
    if (sscanf(line, "!fail %d %d %d", &fail_errno, &fail_after, &fail_times) == 3) return;
    strange("a command that is none");
}

static void mark(const char *text, size_t length) {
    while (length) {
        const char *end = memchr(text, '\n', length);
        size_t line = end ? (size_t)(end - text) : length;
        if (line && text[0] == '!') obey(text, line);
        else if (line) note(MARK, 0, 0, 0, text, line, NULL, 0);
        if (!end) return;
        text = end + 1;
        length -= line + 1;
    }
}

/* === Opening === */

static int opened(int at, const char *path, int flags, mode_t mode) {
    const char *seen;
    struct node *node;
    struct stat before;
    int fd, there, error;
    enter();
    seen = watched(at, path);
    there = seen && fstatat(AT_FDCWD, seen, &before, AT_SYMLINK_NOFOLLOW) == 0;
    if (seen && !there && (flags & O_CREAT) && (error = fate())) { leave(); errno = error; return -1; }
    fd = syscall(SYS_openat, at, path, flags, mode);
    if (fd >= 0 && fd < FDS) fds[fd] = 0;
    if (fd >= 0 && fd < FDS && path && journal >= 0 && !strcmp(path, marks)) fds[fd] = MARKS;
    if (fd >= 0 && seen) {
        if (flags & (O_SYNC | O_DSYNC)) strange("a file opened for synchronous writing");
        node = find(seen);
        if (!there) node = make(seen, 0);
        if (!node) strange("a file that was there before");
        else if (fd >= FDS) strange("too many open files");
        else {
            fds[fd] = node->id;
            if (there && (flags & O_TRUNC) && before.st_size) note(TRUNCATE, node->id, 0, 0, NULL, 0, NULL, 0);
        }
    }
    leave();
    return fd;
}

#define MODE mode_t mode = 0; if (flags & (O_CREAT | O_TMPFILE)) { va_list rest; va_start(rest, flags); mode = va_arg(rest, int); va_end(rest); }
int open(const char *path, int flags, ...) { MODE return opened(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE return opened(AT_FDCWD, path, flags | O_LARGEFILE, mode); }
int openat(int at, const char *path, int flags, ...) { MODE return opened(at, path, flags, mode); }
int openat64(int at, const char *path, int flags, ...) { MODE return opened(at, path, flags | O_LARGEFILE, mode); }
int __open_2(const char *path, int flags) { return opened(AT_FDCWD, path, flags, 0); }
int __open64_2(const char *path, int flags) { return opened(AT_FDCWD, path, flags | O_LARGEFILE, 0); }
int __openat_2(int at, const char *path, int flags) { return opened(at, path, flags, 0); }
int __openat64_2(int at, const char *path, int flags) { return opened(at, path, flags | O_LARGEFILE, 0); }
int creat(const char *path, mode_t mode) { return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC | O_LARGEFILE, mode); }

int close(int fd) {
    enter();
    if (fd >= 0 && fd < FDS) fds[fd] = 0;
    leave();
    return syscall(SYS_close, fd);
}

/* A second number for an open file. */
static int doubled(int fd, int number) {
    enter();
    if (number >= 0 && number < FDS) fds[number] = id_of(fd);
    leave();
    return number;
}
int dup(int fd) { return doubled(fd, syscall(SYS_dup, fd)); }
int dup2(int fd, int other) { return fd == other ? fd : doubled(fd, syscall(SYS_dup3, fd, other, 0)); }
int dup3(int fd, int other, int flags) { return doubled(fd, syscall(SYS_dup3, fd, other, flags)); }

static int controlled(int fd, int command, void *argument) {
    int answer = syscall(SYS_fcntl, fd, command, argument);
    return command == F_DUPFD || command == F_DUPFD_CLOEXEC ? doubled(fd, answer) : answer;
}
#define ARGUMENT va_list rest; va_start(rest, command); void *argument = va_arg(rest, void *); va_end(rest);
int fcntl(int fd, int command, ...) { ARGUMENT return controlled(fd, command, argument); }
int fcntl64(int fd, int command, ...) { ARGUMENT return controlled(fd, command, argument); }

/* === Writing === */

/* Writes at `offset`, or where the file stands if it is negative. */
static ssize_t written(int fd, const struct iovec *parts, int count, off_t offset) {
    int id, error, flags;
    ssize_t done;
    off_t place = offset;
    size_t whole = 0;
    struct stat now;
    char *all = NULL;
    enter();
    id = id_of(fd);
    if (!id) {
        leave();
        return offset < 0 ? syscall(SYS_writev, fd, parts, count) : syscall(SYS_pwritev, fd, parts, count, offset, 0L);
    }
    for (int i = 0; i < count; i++) whole += parts[i].iov_len;
    if (count == 1) all = parts[0].iov_base;
    else {
        size_t filled = 0;
        all = malloc(whole ? whole : 1);
        for (int i = 0; i < count; i++) { memcpy(all + filled, parts[i].iov_base, parts[i].iov_len); filled += parts[i].iov_len; }
    }
    if (id == MARKS) { mark(all, whole); done = whole; goto out; }
    if ((error = fate())) { errno = error; done = -1; goto out; }
    if (fstat(fd, &now)) { strange("a file without a size"); now.st_size = 0; }
    flags = syscall(SYS_fcntl, fd, F_GETFL);
    if (offset < 0) place = (flags & O_APPEND) ? now.st_size : syscall(SYS_lseek, fd, 0L, SEEK_CUR);
    if (full && place + (off_t)whole > now.st_size) {
        /* What still fits is written, as on a real disk. */
        size_t room = now.st_size > place ? now.st_size - place : 0;
        if (!room) { errno = ENOSPC; done = -1; note(FAILED, 0, ENOSPC, 0, NULL, 0, NULL, 0); goto out; }
        whole = room;
    }
    done = syscall(SYS_pwrite64, fd, all, whole, place);
    if (done > 0) {
        if (offset < 0) syscall(SYS_lseek, fd, place + done, SEEK_SET);
        note(WRITE, id, place, 0, all, done, NULL, 0);
    }
out:
    leave();
    if (count != 1) free(all);
    return done;
}

ssize_t write(int fd, const void *data, size_t length) { struct iovec one = {(void *)data, length}; return written(fd, &one, 1, -1); }
ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) { struct iovec one = {(void *)data, length}; return written(fd, &one, 1, offset); }
ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset) { struct iovec one = {(void *)data, length}; return written(fd, &one, 1, offset); }
ssize_t writev(int fd, const struct iovec *parts, int count) { return written(fd, parts, count, -1); }
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) { return written(fd, parts, count, offset); }
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset) { return written(fd, parts, count, offset); }

static int shortened(int fd, off_t length) {
    int id, error, done;
    enter();
    id = id_of(fd);
    if (id > 0 && (error = fate())) { leave(); errno = error; return -1; }
    done = syscall(SYS_ftruncate, fd, length);
    if (id > 0 && !done) note(TRUNCATE, id, length, 0, NULL, 0, NULL, 0);
    leave();
    return done;
}
int ftruncate(int fd, off_t length) { return shortened(fd, length); }
int ftruncate64(int fd, off64_t length) { return shortened(fd, length); }

static int shortened_at(const char *path, off_t length) {
    int fd = opened(AT_FDCWD, path, O_WRONLY | O_CLOEXEC, 0), done;
    if (fd < 0) return -1;
    done = shortened(fd, length);
    close(fd);
    return done;
}
int truncate(const char *path, off_t length) { return shortened_at(path, length); }
int truncate64(const char *path, off64_t length) { return shortened_at(path, length); }

/* === Syncing === */

static int synced(int fd, int number) {
    int id, error = 0;
    int64_t begun = 0;
    enter();
    id = id_of(fd);
    if (id > 0) { begun = note(SYNC_BEGIN, id, 0, 0, NULL, 0, NULL, 0); error = fate(); }
    leave();
    if (!id) return syscall(number, fd);
    if (id == MARKS) return 0;
    nanosleep(&SYNC_TAKES, NULL);
    enter();
    note(SYNC_END, id, begun, error, NULL, 0, NULL, 0);
    leave();
    errno = error;
    return error ? -1 : 0;
}
int fsync(int fd) { return synced(fd, SYS_fsync); }
int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }

/* Promises nothing about a power cut (sync_file_range(2)), so it counts for nothing here. */
int sync_file_range(int fd, off64_t offset, off64_t length, unsigned flags) {
    return id_of(fd) > 0 ? 0 : (int)syscall(SYS_sync_file_range, fd, offset, length, flags);
}

/* === Names === */

static int removed(int at, const char *path, int flags) {
    const char *seen, *name;
    struct node *node;
    int done;
    enter();
    seen = watched(at, path);
    done = syscall(SYS_unlinkat, at, path, flags);
    if (seen && !done) {
        uint32_t above = parent(seen, &name);
        note(UNLINK, above, 0, 0, name, strlen(name), NULL, 0);
        if ((node = find(seen))) forget(node);
    }
    leave();
    return done;
}
int unlink(const char *path) { return removed(AT_FDCWD, path, 0); }
int unlinkat(int at, const char *path, int flags) { return removed(at, path, flags); }
int rmdir(const char *path) { return removed(AT_FDCWD, path, AT_REMOVEDIR); }

static int renamed(int from_at, const char *from, int to_at, const char *to, unsigned flags) {
    const char *old, *new, *old_name, *new_name;
    struct node *node;
    int done;
    enter();
    old = watched(from_at, from);
    new = watched(to_at, to);
    done = syscall(SYS_renameat2, from_at, from, to_at, to, flags);
    if (!done && (old || new)) {
        if (!old || !new || flags) strange("a rename into or out of the folder");
        else {
            uint32_t here = parent(old, &old_name), there = parent(new, &new_name);
            note(RENAME, here, there, 0, old_name, strlen(old_name), new_name, strlen(new_name));
            if ((node = find(new))) forget(node);
            if ((node = find(old))) strcpy(node->path, new);
            for (int i = 0; i < node_count; i++)
                if (!strncmp(nodes[i].path, old, strlen(old)) && nodes[i].path[strlen(old)] == '/')
                    strange("a folder renamed with what is in it");
        }
    }
    leave();
    return done;
}
int rename(const char *from, const char *to) { return renamed(AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int from_at, const char *from, int to_at, const char *to) { return renamed(from_at, from, to_at, to, 0); }
int renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags) { return renamed(from_at, from, to_at, to, flags); }

int linkat(int from_at, const char *from, int to_at, const char *to, int flags) {
    const char *old, *new, *name;
    struct node *node;
    int done, error;
    enter();
    old = watched(from_at, from);
    new = watched(to_at, to);
    if (new && (error = fate())) { leave(); errno = error; return -1; }
    done = syscall(SYS_linkat, from_at, from, to_at, to, flags);
    if (!done && (old || new)) {
        if (!old || !new || !(node = find(old)) || node_count + 1 >= NODES) strange("a hard link into or out of the folder");
        else {
            uint32_t above = parent(new, &name);
            strcpy(nodes[node_count].path, new);
            nodes[node_count++].id = node->id;
            note(LINK, node->id, above, 0, name, strlen(name), NULL, 0);
        }
    }
    leave();
    return done;
}
int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }

static int folder_made(int at, const char *path, mode_t mode) {
    const char *seen;
    int done, error;
    enter();
    seen = watched(at, path);
    if (seen && (error = fate())) { leave(); errno = error; return -1; }
    done = syscall(SYS_mkdirat, at, path, mode);
    if (seen && !done) make(seen, 1);
    leave();
    return done;
}
int mkdir(const char *path, mode_t mode) { return folder_made(AT_FDCWD, path, mode); }
int mkdirat(int at, const char *path, mode_t mode) { return folder_made(at, path, mode); }

/* === What nobody does here, told so that nobody begins to unseen === */

static void *mapped(void *place, size_t length, int protection, int flags, int fd, off64_t offset) {
    enter();
    if (id_of(fd) > 0 && (flags & MAP_SHARED) && (protection & PROT_WRITE)) strange("a file mapped for writing");
    leave();
    return (void *)syscall(SYS_mmap, place, length, protection, flags, fd, offset);
}
void *mmap(void *place, size_t length, int protection, int flags, int fd, off_t offset) { return mapped(place, length, protection, flags, fd, offset); }
void *mmap64(void *place, size_t length, int protection, int flags, int fd, off64_t offset) { return mapped(place, length, protection, flags, fd, offset); }

static int refused(int fd, const char *what) {
    int seen;
    enter();
    if ((seen = id_of(fd) > 0)) strange(what);
    leave();
    return seen;
}
int fallocate(int fd, int mode, off_t offset, off_t length) { refused(fd, "fallocate"); return syscall(SYS_fallocate, fd, mode, offset, length); }
int fallocate64(int fd, int mode, off64_t offset, off64_t length) { return fallocate(fd, mode, offset, length); }
int posix_fallocate(int fd, off_t offset, off_t length) { return fallocate(fd, 0, offset, length) ? errno : 0; }
int posix_fallocate64(int fd, off64_t offset, off64_t length) { return posix_fallocate(fd, offset, length); }
ssize_t copy_file_range(int from, off64_t *from_at, int to, off64_t *to_at, size_t length, unsigned flags) {
    refused(to, "copy_file_range");
    return syscall(SYS_copy_file_range, from, from_at, to, to_at, length, flags);
}
