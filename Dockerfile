FROM python:3.11-slim
WORKDIR /app
COPY pyproject.toml constraints.txt README.md ./
COPY bot bot
COPY storage storage
RUN pip install --no-cache-dir -c constraints.txt '.[postgres,plot]' \
    && useradd --create-home regwatch
USER regwatch
# listened on when REGWATCH_HTTP_BIND says so
EXPOSE 3000
# PID 1 gets SIGTERM itself, so that `docker stop` drains what is under way
CMD ["regwatch", "run"]
