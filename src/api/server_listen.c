#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/server_internal.h"
#include "sys/file.h"

/* "host:port", "[address]:port" */
static status split(const char *address, char **host, unsigned *port, struct error *err)
{
    const char *colon = strrchr(address, ':');
    uint64_t number = 0;
    struct str name = {address, colon ? (size_t)(colon - address) : 0};
    if (name.n >= 2 && name.p[0] == '[' && name.p[name.n - 1] == ']') {
        name.p++;
        name.n -= 2;
    } else if (memchr(name.p, ':', name.n)) {
        name.n = 0;
    }
    if (!colon || name.n == 0 || !str_parse_u64(str_of(colon + 1), 65535, &number)) {
        status s = error_set(err, ERR_USAGE, "%s: not an address to listen on", address);
        error_hint(err, "write ADDRESS:PORT, for example 127.0.0.1:8765 or [::1]:8765; port 0 takes any that is free");
        return s;
    }
    *host = strndup(name.p, name.n);
    *port = (unsigned)number;
    return *host ? OK : error_no_memory(err, name.n);
}

status http_address_host(const char *address, char **host, struct error *err)
{
    unsigned port;
    return split(address, host, &port, err);
}

static status bind_to(const char *address, const struct addrinfo *to, int *made, struct error *err)
{
    int yes = 1;
    int fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return error_set_errno(err, errno, "a socket for %s", address);
    bool good = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0;
    if (good && to->ai_family == AF_INET6)
        good = setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes) == 0;
    good = good && bind(fd, to->ai_addr, to->ai_addrlen) == 0 && listen(fd, 511) == 0;
    if (good) {
        *made = fd;
        return OK;
    }
    status s = error_set_errno(err, errno, "cannot listen on %s", address);
    if (errno == EADDRINUSE)
        error_hint(err, "something listens there already: choose another port with --listen, or 0 for any");
    file_close(fd);
    return s;
}

static unsigned port_of(int fd)
{
    struct sockaddr_storage bound = {0};
    socklen_t n = sizeof bound;
    if (getsockname(fd, (struct sockaddr *)&bound, &n) != 0)
        return 0;
    return ntohs(bound.ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)&bound)->sin6_port
                                             : ((const struct sockaddr_in *)&bound)->sin_port);
}

status listen_on(const char *address, int *fd, unsigned *port, struct error *err)
{
    char *host = NULL, service[8];
    unsigned wanted = 0;
    struct addrinfo *found = NULL;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    int made = -1;
    status s = split(address, &host, &wanted, err);
    if (s != OK)
        return s;
    snprintf(service, sizeof service, "%u", wanted);
    int failure = getaddrinfo(host, service, &hints, &found);
    if (failure)
        s = error_set(err, ERR_USAGE, "cannot listen on %s: %s", address, gai_strerror(failure));
    else
        s = bind_to(address, found, &made, err);
    if (s == OK) {
        *fd = made;
        *port = port_of(made);
    }
    if (found)
        freeaddrinfo(found);
    free(host);
    return s;
}
