# A static binary, certificate authorities and a user. No shell, so that an
# intruder finds none.
#
#   docker build -t secure-score-exporter .
#   docker run --rm -p 127.0.0.1:10365:10365 secure-score-exporter demo
#   docker run --rm -v "$PWD:/etc/secure-score:ro" secure-score-exporter check
#   docker run -p 127.0.0.1:10365:10365 -v "$PWD:/etc/secure-score:ro" secure-score-exporter
#
# An image built elsewhere can replace the first stage, as in packaging/image:
# --build-arg BUILT=an-image-with-/out

ARG BUILT=build

FROM docker.io/library/rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
ARG REVISION=unknown
RUN packaging/static /out

FROM ${BUILT} AS built

FROM scratch
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="secure-score-exporter" \
      org.opencontainers.image.description="Prometheus exporter for Microsoft Secure Score and accepted risks" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=built /out/ /
# The unprivileged user of distroless images. A read-only root works: the exporter
# writes to --state.dir only, for which there is an empty directory.
COPY --from=built --chown=65532:65532 /out/etc/secure-score /var/lib/secure-score
USER 65532:65532
# The directory of secure-score.yml; without it environment variables configure
# the one tenant.
WORKDIR /etc/secure-score
EXPOSE 10365
ENTRYPOINT ["/usr/bin/secure-score-exporter", "--web.listen-address=:10365"]

