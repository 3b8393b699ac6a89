// SPDX-License-Identifier: Apache-2.0
/* replay: runs a fuzz target over the files of a folder, one TAP line each. A finding is a crash,
 * so the line of the file that it is about is missing. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/own.h"

enum { INPUT_MAX = 16 * 1024 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(int dir, const char *name, struct error *err)
{
    AUTO_FINI(buf) input = BUF(INPUT_MAX);
    AUTO_FREE uint8_t *exact = NULL;

    if (file_load(dir, name, &input, err) < 0)
        return -1;
    /* Not one byte more, so that the address sanitizer sees reads behind the end. */
    exact = xmemdup(input.data ? input.data : "", input.len);
    LLVMFuzzerTestOneInput(exact, input.len);
    return 0;
}

int main(int argc, char **argv)
{
    struct dirent **names = NULL;
    struct error err = {0};
    AUTO_CLOSE int dir = argc == 2 ? open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    int failed = 0, count = 0, n = dir < 0 ? -1 : scandir(argv[1], &names, NULL, alphasort);

    if (n < 0) {
        printf("Bail out! open the corpus %s: %s\n", argc == 2 ? argv[1] : "(none)",
               strerror(errno));
        return 1;
    }
    for (int i = 0; i < n; i++) {
        if (names[i]->d_name[0] != '.') {
            int bad = replay(dir, names[i]->d_name, &err) < 0;

            printf("%sok %d %s%s%s\n", bad ? "not " : "", ++count, names[i]->d_name,
                   bad ? " # " : "", bad ? err.text : "");
            fflush(stdout);
            failed |= bad;
        }
        free(names[i]);
    }
    free(names);
    printf("1..%d\n", count);
    return failed;
}
