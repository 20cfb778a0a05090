-- Runs first: steps run in the order of their file names.
CREATE TABLE IF NOT EXISTS greetings (
    name TEXT,
    said_at TEXT DEFAULT CURRENT_TIMESTAMP
);
