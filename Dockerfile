# One image for all services; the command selects the service: docker run IMAGE time-manager
#
#   docker build -t worldbus --build-arg COMMIT="$(git rev-parse HEAD)" .
#
# What it holds, who it runs as and what it needs: docs/how-to/image.md. Without Docker, and in CI,
# `cargo xtask image` builds the same last stage from files that were made outside.
ARG RUST_IMAGE=docker.io/library/rust:1.95.0-bookworm
# The binary is static and brings its certificates: it needs nothing of a base.
ARG RUNTIME_IMAGE=scratch

FROM ${RUST_IMAGE} AS build
WORKDIR /src
COPY . .
ARG COMMIT=unknown
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    WORLDBUS_COMMIT="${COMMIT}" cargo xtask image-files /out

FROM ${RUNTIME_IMAGE}
ARG VERSION=0.1.0
ARG COMMIT=unknown
LABEL org.opencontainers.image.title="worldbus" \
      org.opencontainers.image.description="The binary event backbone of a living game world" \
      org.opencontainers.image.licenses="Apache-2.0 OR MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${COMMIT}"
COPY --from=build /out/root/ /
COPY --from=build --chown=65532:65532 /out/state/ /
# So that `worldbus` is found by that name as well, as health checks call it.
ENV PATH=/ \
    WORLDBUS_DATA_DIR=/data
# Its owner is taken over by the volume that is mounted there, also on Fargate.
VOLUME ["/data"]
# A number, so that `runAsNonRoot` and the like can tell that it is not root.
USER 65532:65532
STOPSIGNAL SIGTERM
# For Docker; orchestrators have checks of their own. It asks at WORLDBUS_LISTEN.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["worldbus", "health"]
ENTRYPOINT ["/worldbus"]
