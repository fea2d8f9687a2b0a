# One static binary, no shell, no root. What differs between roles is the command: up, bot or executor.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
# Version and commit come from the repository, by way of the build information.
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o /out/ferry ./cmd/ferry \
 && mkdir /out/data

FROM scratch
# Azure and Slack are called over TLS, and times are shown in the reader's zone.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /usr/local/go/lib/time/zoneinfo.zip /usr/local/go/lib/time/zoneinfo.zip
ENV ZONEINFO=/usr/local/go/lib/time/zoneinfo.zip
COPY --from=build /out/ferry /ferry
# data_dir is ./ferry-data by default: mount a volume here, or use a cluster of NATS.
COPY --from=build --chown=65532:65532 /out/data /data
WORKDIR /data
USER 65532:65532
ENTRYPOINT ["/ferry"]
CMD ["up"]
