-- The rows of the step before are all there when this one starts.
DROP TABLE IF EXISTS measurement_summary;
CREATE TABLE measurement_summary AS
SELECT station, count(*) AS readings, avg(celsius) AS average
FROM measurements
GROUP BY station;
