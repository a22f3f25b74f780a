FROM python:3.11-slim
WORKDIR /app
COPY pyproject.toml constraints.txt README.md ./
COPY bot bot
COPY storage storage
RUN pip install --no-cache-dir -c constraints.txt '.[postgres]' \
    && useradd --create-home regwatch
USER regwatch
# PID 1 gets SIGTERM itself, so that `docker stop` drains what is under way
CMD ["regwatch", "run"]
