/* Runs a fuzz target over files and folders of files: the corpus and the crashes of the past. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "fuzz/both_ways.h"

static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        return 0;
    }
    struct buf content = {0};
    size_t n;
    do {
        n = fread(buf_reserve(&content, 4096), 1, 4096, file);
        buf_commit(&content, n);
    } while (n > 0);
    fclose(file);
    /* A block of exactly this size: reading beyond it is caught by the address sanitizer. */
    uint8_t *exact = malloc(content.len > 0 ? content.len : 1);
    if (content.len > 0)
        memcpy(exact, content.at, content.len);
    fprintf(stderr, "%s\n", path); /* the last one named is the one that crashed */
    LLVMFuzzerTestOneInput(exact, content.len);
    free(exact);
    buf_fini(&content);
    return 1;
}

static int replay_folder(const char *path)
{
    struct dirent **entries;
    int n = scandir(path, &entries, NULL, alphasort);
    int files_n = 0;
    for (int i = 0; i < n; i++) {
        char name[4096];
        snprintf(name, sizeof(name), "%s/%s", path, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.')
            files_n += replay_file(name);
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
    return files_n;
}

int main(int argc, char **argv)
{
    int files_n = 0;
    for (int i = 1; i < argc; i++) {
        struct stat st;
        if (stat(argv[i], &st) < 0)
            continue; /* a target that never crashed has no folder in regress */
        files_n += S_ISDIR(st.st_mode) ? replay_folder(argv[i]) : replay_file(argv[i]);
    }
    printf("%d inputs replayed\n", files_n);
    return files_n > 0 ? 0 : 1;
}
