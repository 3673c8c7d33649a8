# The exporter and nothing else: a static binary, certificate authorities, and
# a user. No shell, so that nobody who gets in finds one.
#
#   docker build -t secure-score-exporter .
#   docker run --rm -p 127.0.0.1:10365:10365 secure-score-exporter demo
#   docker run --rm -v "$PWD:/etc/secure-score:ro" secure-score-exporter check
#   docker run -p 127.0.0.1:10365:10365 -v "$PWD:/etc/secure-score:ro" secure-score-exporter
#
# What is built elsewhere can be put in place of the first stage, as
# packaging/image does: --build-arg BUILT=an-image-with-/out

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
# Nobody's number, as in distroless images. A read-only root is fine: only
# --state.dir is written to, for which there is an empty directory of theirs.
COPY --from=built --chown=65532:65532 /out/etc/secure-score /var/lib/secure-score
USER 65532:65532
# Here is secure-score.yml looked for; without it, the variables describe the
# one tenant.
WORKDIR /etc/secure-score
EXPOSE 10365
ENTRYPOINT ["/usr/bin/secure-score-exporter", "--web.listen-address=:10365"]

